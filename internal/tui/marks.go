package tui

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/internal/hint"
)

// A mark is made here and not on the server: it can be taken back until a person
// says yes to the staged list.

// toggle stays where it is: done twice, it is undone.
func (l *list) toggle(a *app) tea.Cmd {
	with := a.e.Mark
	if l.under().Marked {
		with = a.e.Unmark
	}
	l.change(a, with)
	return nil
}

func (l *list) mark(a *app) tea.Cmd   { return l.changeAndMove(a, a.e.Mark) }
func (l *list) unmark(a *app) tea.Cmd { return l.changeAndMove(a, a.e.Unmark) }

func (l *list) changeAndMove(a *app, with func(...explore.Key) error) tea.Cmd {
	if !l.change(a, with) {
		return nil
	}
	return l.move(a, 1)
}

// change marks or unmarks the message under the cursor. It reports whether that
// message is still listed.
func (l *list) change(a *app, with func(...explore.Key) error) bool {
	if l.on == "" {
		return false // without keys Unmark is for all
	}
	if err := with(l.on); err != nil {
		a.refuse(err)
		return false
	}
	if l.query.MarkedOnly {
		l.on = ""
		l.refresh(a)
		return false
	}
	return true
}

// refuse says why a mark cannot be set.
func (a *app) refuse(err error) {
	if errors.Is(err, explore.ErrReadOnly) {
		err = a.readOnly()
	}
	a.fail(err)
}

// readOnly says that nothing can be deleted here, and what to do.
func (a *app) readOnly() error {
	if !a.account.Local {
		return explore.ErrReadOnly
	}
	return hint.Add(explore.ErrReadOnly, "leave (q) and start again with --write to delete messages")
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
		a.refuse(err)
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
			a.tell(good, "let go: nothing was deleted, "+a.mailProgram()+" can get in now")
			return nil
		}
	})
}
