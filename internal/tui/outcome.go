package tui

import (
	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// newOutcome says in plain words what was deleted, what was not, and what nobody
// knows.
func newOutcome(o explore.Outcome, err error, asked []explore.Entry, mailProgram shown) *textPage {
	return newTextPage("what was deleted", func(t *theme, w int) []row {
		var rows []row
		if err != nil {
			rows = append(complaint(t, err, w), nil)
		}
		group := func(l look, title shown, entries []explore.Entry) {
			if len(entries) == 0 {
				return
			}
			rows = append(rows, t.paragraph(nil, l, title, w)...)
			for _, e := range entries {
				rows = append(rows, listed(t, e, w)...)
			}
			rows = append(rows, nil)
		}
		group(good, "Deleted: the server confirmed that "+they(len(o.Deleted))+" gone.", o.Deleted)
		rows = append(rows, refused(t, o, asked, w)...)
		group(warning, "Left alone: another size than when it was marked. Look at it again.", o.Changed)
		group(strong, "Not there any more: somebody else deleted or fetched it before.", o.Gone)
		group(warning, "Not known: the server did not answer at the end. The next list tells whether it is gone.", o.Unknown)
		if len(o.Deleted)+len(o.Refused)+len(o.Changed)+len(o.Gone)+len(o.Unknown) == 0 {
			rows = append(rows, text(strong, "Nothing was deleted."), nil)
		}
		return append(rows, t.paragraph(nil, plain, "The mailbox is closed now, and "+mailProgram+" can get in. r opens it again with a fresh list.", w)...)
	}, key{on: "r enter", name: "r", does: "open again", run: again})
}

func again(a *app) tea.Cmd {
	a.popTo(a.list)
	return a.comeBack()
}

func they(n int) shown {
	if n == 1 {
		return "this message is"
	}
	return "these " + count(n) + " messages are"
}

// refused lists what could not be deleted, in the order in which it was asked
// for, and why.
func refused(t *theme, o explore.Outcome, asked []explore.Entry, w int) []row {
	if len(o.Refused) == 0 {
		return nil
	}
	rows := t.paragraph(nil, warning, "Left alone, still there:", w)
	for _, e := range asked {
		if why := o.Refused[e.Key]; why != nil {
			rows = append(rows, listed(t, e, w)...)
			rows = append(rows, t.paragraph(row{{"       ", plain}}, warning, errorLine(why), w)...)
		}
	}
	return append(rows, nil)
}
