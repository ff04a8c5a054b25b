package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// The smallest screen that anything can be done on.
const (
	minWidth  = 30
	minHeight = 8
)

// View implements tea.Model: a bar, the screen, perhaps the protocol, what must be
// known, the keys.
func (a *app) View() tea.View {
	v := tea.NewView(a.frame())
	v.AltScreen = true
	v.WindowTitle = "Postfach"
	if a.e != nil {
		v.WindowTitle = string("Postfach – " + line(a.account.Name))
	}
	return v
}

func (a *app) frame() string {
	if a.width == 0 {
		return ""
	}
	if a.width < minWidth || a.height < minHeight {
		rows := []row{
			text(plain, a.firstThatFits(a.width, "this window is too small", "window too small", "too small")),
			text(plain, a.firstThatFits(a.width, "ctrl+c leaves", "^C leaves")),
		}
		return strings.Join(a.theme.page(rows, a.width, a.height), "\n")
	}
	foot := a.foot()
	lines := []string{a.bar()}
	body := max(0, a.height-1-len(foot))
	pane := a.protocol.height(a, body)
	lines = append(lines, a.top().rows(a, a.width, body-pane)...)
	lines = append(lines, a.protocol.pane(a.theme, a.width, pane)...)
	for _, r := range foot {
		lines = append(lines, a.theme.draw(r, a.width, plain))
	}
	return strings.Join(lines[:min(len(lines), a.height)], "\n")
}

// room is how many lines the screen has, without the protocol.
func (a *app) room() int {
	body := max(0, a.height-1-len(a.foot()))
	return body - a.protocol.height(a, body)
}

func (a *app) bar() string {
	r := row{{" Postfach", strong}}
	if a.e != nil {
		if a.width < 60 {
			r = row{{" ", plain}} // what matters follows
		} else {
			r = append(r, span{" · ", plain})
		}
		r = append(r, span{line(a.account.Name), plain})
		switch {
		case a.status.TLS:
			r = append(r, span{" · TLS", plain})
		case a.status.State == explore.Held && a.account.Question != nil:
			r = append(r, span{" · no TLS", warning})
		}
		if a.account.ReadOnly {
			r = append(r, span{" · read only", plain})
		}
	}
	if s := a.top().title(); s != "" {
		if a.width < 60 {
			r = row{{" ", plain}, {s, plain}}
			return a.theme.draw(r, a.width, bar)
		}
		r = append(r, span{" · " + s, plain})
	}
	return a.theme.draw(r, a.width, bar)
}

// foot is what stands below the screen: sayings, whether the maildrop is ours,
// what is in it, and a prompt, a job or the keys. It takes a part of the window
// only; what matters least gives way.
func (a *app) foot() []row {
	limit := a.footLimit()
	open := a.e != nil && a.list != nil
	var below []row
	switch {
	case a.job != nil:
		below = []row{a.job.row(a.now())}
	case a.prompt != nil:
		below = a.prompt.rows(a.theme, a.width, limit)
	}
	var above []row
	if a.said != nil {
		above = append(above, a.said.rows(a.theme, a.width)...)
	}
	if open {
		above = append(above, a.notice()...)
	}
	bottom := max(1, len(below))
	possession := open && bottom < limit
	counts := open && len(above)+2+bottom <= limit
	room := limit - bottom
	if possession {
		room--
	}
	if counts {
		room--
	}
	if below == nil {
		below = []row{footer(a.theme, a.footerKeys(len(above) > room), a.width)}
	}
	foot := shorten(a.theme, above, a.width, room)
	if possession {
		foot = append(foot, a.possession(a.status))
	}
	if counts {
		foot = append(foot, a.counts(a.status))
	}
	return append(foot, below...)
}

// footLimit is how many lines the foot may have: half of the window, and less
// where only few messages would be seen. An error, which goes with the next key,
// may have its half.
func (a *app) footLimit() int {
	const rest = 8 // a bar, the names of the columns, six messages
	half := (a.height - 1) / 2
	if a.list == nil || a.said != nil && a.said.err != nil {
		return half
	}
	return max(3, min(half, a.height-rest))
}

// footerKeys are all keys that can be pressed, and those for the notice first.
func (a *app) footerKeys(shortened bool) []key {
	keys := append(a.top().keys(a), everywhere(a)...)
	if a.e == nil || a.list == nil || a.status.Notice == "" {
		return keys
	}
	notice := []key{{on: "n", does: "dismiss"}}
	if shortened {
		notice = append(notice, key{on: "N", does: "more"})
	}
	return append(notice, keys...)
}

func (s *saying) rows(t *theme, w int) []row {
	if s.err != nil {
		return complaint(t, s.err, w)
	}
	return t.paragraph(nil, s.look, s.text, w)
}

// notice is what happened without being asked for.
func (a *app) notice() []row {
	if a.status.Notice == "" {
		return nil
	}
	return a.theme.paragraph(row{{"! ", warning}}, warning, line(a.status.Notice), a.width)
}

// dismiss takes the notice away: a person has read it.
func (a *app) dismiss() tea.Cmd {
	a.e.Seen()
	return nil
}

// readNotice shows all of it, where there was room for its beginning only.
func (a *app) readNotice() tea.Cmd {
	notice := line(a.status.Notice)
	if notice == "" {
		a.tell(plain, "nothing has happened that was not asked for")
		return nil
	}
	return a.push(newTextPage("notice", func(t *theme, w int) []row { return t.paragraph(nil, plain, notice, w) }))
}
