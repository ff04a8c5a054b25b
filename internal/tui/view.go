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
		rows := []row{text(plain, "this window is too small"), text(plain, "ctrl+c leaves")}
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
		r = append(r, span{" · " + s, plain})
	}
	return a.theme.draw(r, a.width, bar)
}

// foot is what stands below the screen: sayings, whether the maildrop is ours,
// what is in it, and a prompt, a job or the keys. It takes half of the window at
// most; what matters least gives way.
func (a *app) foot() []row {
	var above []row
	if a.said != nil {
		above = append(above, a.said.rows(a.theme, a.width)...)
	}
	open := a.e != nil && a.list != nil
	if open {
		above = append(above, a.notice()...)
	}
	var below []row
	switch {
	case a.job != nil:
		below = append(below, a.job.row(a.now()))
	case a.prompt != nil:
		below = append(below, a.prompt.rows(a.theme, a.width)...)
	default:
		below = append(below, footer(a.theme, append(a.top().keys(a), everywhere(a)...), a.width))
	}
	half := (a.height - 1) / 2
	below = below[max(0, len(below)-half):]
	if open {
		if len(above)+2+len(below) <= half {
			below = append([]row{a.counts(a.status)}, below...)
		}
		if len(below) < half {
			below = append([]row{a.possession(a.status)}, below...)
		}
	}
	return append(above[:min(len(above), half-len(below))], below...)
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
	return a.theme.paragraph(row{{"! ", warning}}, warning, line(a.status.Notice)+" (n: seen)", a.width)
}
