package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// A mark is made here and not on the server: it can be taken back until a person
// says yes to the staged list.

func (l *list) toggle(a *app) tea.Cmd {
	if l.under().Marked {
		return l.unmark(a)
	}
	return l.mark(a)
}

func (l *list) mark(a *app) tea.Cmd   { return l.change(a, a.e.Mark) }
func (l *list) unmark(a *app) tea.Cmd { return l.change(a, a.e.Unmark) }

// change marks or unmarks the message under the cursor, and goes on to the next.
func (l *list) change(a *app, with func(...explore.Key) error) tea.Cmd {
	if l.on == "" {
		return nil // without keys Unmark is for all
	}
	if err := with(l.on); err != nil {
		a.fail(err)
		return nil
	}
	if l.query.MarkedOnly {
		l.on = ""
		l.refresh(a)
		return nil
	}
	return l.move(a, 1)
}

func (l *list) unmarkAll(a *app) tea.Cmd {
	n := a.e.Status().Marked
	if err := a.e.Unmark(); err != nil {
		a.fail(err)
		return nil
	}
	a.tell(good, many(n, "mark")+" taken away")
	return nil
}

// markOne marks a message or takes its mark away, and says so.
func (a *app) markOne(e explore.Entry, marked bool) tea.Cmd {
	with, said := a.e.Unmark, shown("the mark is taken away")
	if marked {
		with, said = a.e.Mark, "marked; D in the list deletes what is marked"
	}
	if err := with(e.Key); err != nil {
		a.fail(err)
		return nil
	}
	a.tell(good, said)
	return nil
}

// letGo closes the maildrop for now.
func (a *app) letGo() tea.Cmd {
	if a.status.State == explore.Away {
		a.tell(plain, "it is not open; r opens it")
		return nil
	}
	e := a.e
	return a.start("letting go", func(ctx context.Context, _ *job) then {
		err := e.Release(ctx)
		return func(a *app) tea.Cmd {
			if err != nil {
				a.fail(stopped(err))
				return nil
			}
			a.tell(good, "let go: nothing was deleted, your mail program can get in now")
			return nil
		}
	})
}
