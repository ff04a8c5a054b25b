package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/internal/hint"
)

// A staged screen shows exactly what will be deleted, and asks for a word. Until
// then nothing was told to the server.
type staged struct {
	entries []explore.Entry
	pager
}

// stage shows what is marked.
func (a *app) stage() tea.Cmd {
	entries := a.e.Marked()
	if a.account.ReadOnly && len(entries) == 0 {
		a.fail(a.readOnly())
		return nil
	}
	if len(entries) == 0 {
		a.tell(plain, "nothing is marked: space marks the message under the cursor")
		return nil
	}
	s := &staged{entries: entries}
	s.build = s.page
	a.push(s)
	return s.ask(a)
}

// ask asks for the word.
func (s *staged) ask(a *app) tea.Cmd {
	p := &prompt{
		label: "type yes to delete " + many(len(s.entries), "message") + ", " + count(s.octets()) + " octets, for good:",
		escape: func(a *app) tea.Cmd {
			a.pop()
			a.tell(good, "nothing was deleted; the marks are still there")
			return nil
		},
	}
	p.enter = func(a *app, typed string) tea.Cmd {
		if typed = strings.TrimSpace(typed); !strings.EqualFold(typed, "yes") && typed != "D" {
			p.input = input{}
			p.again(a, hint.Add(errors.New("nothing is deleted yet"), "type yes and press enter; esc goes back without deleting"))
			return nil
		}
		return s.commit(a)
	}
	a.prompt = p
	return nil
}

// commit deletes what was shown, and nothing else.
func (s *staged) commit(a *app) tea.Cmd {
	keys := make([]explore.Key, len(s.entries))
	for i, e := range s.entries {
		keys[i] = e.Key
	}
	engine := a.e
	return a.start("deleting "+many(len(keys), "message"), func(ctx context.Context, _ *job) then {
		outcome, err := engine.Commit(ctx, keys)
		return func(a *app) tea.Cmd {
			a.popTo(a.list)
			if errors.Is(err, explore.ErrOtherMarks) {
				a.fail(hint.Add(fmt.Errorf("nothing was deleted: %w", err), "look at the list again with D"))
				return nil
			}
			return a.push(newOutcome(outcome, stopped(err), s.entries, a.mailProgram()))
		}
	})
}

func (s *staged) title() shown { return "what will be deleted" + s.below() }

func (s *staged) keys(*app) []key {
	keys := []key{
		{on: "enter", does: "answer", run: s.ask},
		{on: "esc q", name: "esc", does: "back", help: "go back and delete nothing", run: (*app).pop},
	}
	return append(keys, s.pager.keys()...)
}

func (s *staged) rows(a *app, w, h int) []string { return s.draw(a.theme, w, h) }

// octets are what is deleted, together.
func (s *staged) octets() int64 {
	var sum int64
	for _, e := range s.entries {
		sum += e.Size
	}
	return sum
}

func (s *staged) page(t *theme, w int) []row {
	var rows []row
	if w >= minWidth*2 { // where it is narrow the question says it
		rows = t.paragraph(nil, strong, many(len(s.entries), "message")+", "+count(s.octets())+" octets, will be deleted for good. No other message is touched.", w)
		rows = append(rows, nil)
	}
	for _, e := range s.entries {
		rows = append(rows, listed(t, e, w)...)
	}
	return rows
}

// listed names a message so that a person knows which one it is.
func listed(t *theme, e explore.Entry, w int) []row {
	number := shown("–")
	if e.Number > 0 {
		number = sayf("%d", e.Number)
	}
	label := row{{t.right(number, 5) + " ", strong}, {t.right(octets(e.Size), 6) + "  ", plain}}
	who := orNone(line(e.Summary.From), "(no sender)") + ": " + orNone(line(e.Summary.Subject), "(no subject)")
	switch {
	case e.Problem != "" && e.Known:
		who += " (cannot be looked at: " + line(e.Problem) + ")"
	case e.Problem != "":
		who = "cannot be looked at: " + line(e.Problem)
	case !e.Known:
		who = "(its header was not read)"
	}
	if e.ID != "" {
		who += " [" + line(string(e.ID)) + "]"
	}
	return t.paragraph(label, plain, who, w)
}
