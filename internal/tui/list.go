package tui

import (
	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// A list shows the messages. It holds the part that is seen and no more: there may
// be a hundred thousand.
type list struct {
	query explore.Query
	page  explore.Page // from top on
	top   int          // the first line that is seen
	at    int          // the cursor
	// on is the message under the cursor. Keys act on what was seen, so the
	// cursor follows it when the order changes.
	on      explore.Key
	preview preview
}

func newList() *list { return &list{preview: preview{shows: true}} }

func (l *list) title() shown {
	if l.query.MarkedOnly {
		return "marked messages only"
	}
	return ""
}

// refresh reads the part that is seen.
func (l *list) refresh(a *app) {
	h := max(1, l.space(a).lines)
	l.read(a, h)
	if l.on != "" && l.under().Key != l.on {
		if i, ok := l.find(a, l.on); ok {
			l.at = i
		}
	}
	l.at = max(0, min(l.at, l.page.Total-1))
	top := max(min(l.top, l.at, l.page.Total-h), l.at-h+1, 0)
	if top != l.top {
		l.top = top
		l.read(a, h)
	}
	l.on = l.under().Key
}

func (l *list) read(a *app, h int) {
	q := l.query
	q.Offset, q.Limit = l.top, h
	l.page = a.e.Page(q)
}

// under is the message under the cursor; it has no Key if there is none.
func (l *list) under() explore.Entry {
	if i := l.at - l.top; i >= 0 && i < len(l.page.Entries) {
		return l.page.Entries[i]
	}
	return explore.Entry{}
}

// find returns where a message is in the list.
func (l *list) find(a *app, k explore.Key) (int, bool) {
	for i, e := range l.page.Entries {
		if e.Key == k {
			return l.top + i, true
		}
	}
	for i, e := range l.everything(a) {
		if e.Key == k {
			return i, true
		}
	}
	return 0, false
}

// everything is all that is listed.
func (l *list) everything(a *app) []explore.Entry {
	q := l.query
	q.Offset, q.Limit = 0, 0
	return a.e.Page(q).Entries
}

func (l *list) move(a *app, n int) tea.Cmd {
	l.at = max(0, min(l.at+n, l.page.Total-1))
	l.on = "" // the cursor goes to a line now, not to a message
	l.refresh(a)
	return nil
}

func (l *list) keys(a *app) []key {
	back, backHelp, letGo := shown("open again"), shown("open the mailbox again, with a fresh list"), shown("")
	if a.status.State == explore.Held {
		back, backHelp, letGo = "", "read the list anew", "let go"
	}
	keys := []key{
		{on: "?", does: "help", run: (*app).help},
		{on: "enter", does: "read", help: "load the message and read it", run: l.onOne((*app).open)},
		{on: "space", does: "mark", help: "mark the message for deletion, or take the mark away; the cursor stays", run: l.toggle},
		{on: "D", does: "delete", help: "show what is marked, and delete it when you say yes", run: (*app).stage},
		{on: "q", does: "quit", help: "leave; nothing is deleted by that", run: (*app).leave},
		{on: "r", does: back, help: backHelp, run: (*app).comeBack},
		{on: "l", does: letGo, help: "close the mailbox, so that " + a.mailProgram() + " can get in; marks stay", run: (*app).letGo},
		{on: "/", does: "search", help: "words in from, to, subject, unique-id; >1M and <20k for sizes; esc ends it", run: l.search},
		{on: "s", does: "sort", help: "sort by the next column: number, size, date, from, subject", run: l.sort},
		{on: "o", help: "the other direction", run: l.turn},
		{on: "d", does: "mark, next", help: "mark the message for deletion, and go on to the next", run: l.mark},
		{on: "u", help: "take its mark away, and go on to the next", run: l.unmark},
		{on: "U", help: "take all marks away", run: l.unmarkAll},
		{on: "m", help: "list marked messages only, or all", run: l.markedOnly},
		{on: "S", help: "load the message and show its source, as it crossed the wire", run: l.onOne((*app).openSource)},
		{on: "w", help: "save the message as it is, without reading it", run: l.onOne((*app).saveMessage)},
		{on: "x", does: "export", help: "save many messages: Maildir, mbox, folder, zip", run: (*app).export},
		{on: "i", does: "server", help: "what the server is and can, its certificate; check the connection", run: (*app).server},
		{on: "v", help: "preview on or off", run: l.togglePreview},
		{on: "J", help: "scroll the preview down", run: func(*app) tea.Cmd { l.preview.move(3); return nil }},
		{on: "K", help: "scroll the preview up", run: func(*app) tea.Cmd { l.preview.move(-3); return nil }},
		{on: "a", help: "another account", run: (*app).otherAccount},
		{on: "esc", help: "end the search", run: l.endSearch},
	}
	keys = append(keys, moves(l.move, func() int { return max(1, l.space(a).lines-1) })...)
	return append(keys, l.columnKeys()...)
}

func (l *list) togglePreview(a *app) tea.Cmd {
	l.preview.shows = !l.preview.shows
	if s := l.space(a); l.preview.shows && s.beside+s.below == 0 {
		a.tell(plain, "this window is too small for a preview; enter reads the message")
	}
	return nil
}

// onOne is run on the message under the cursor.
func (l *list) onOne(run func(*app, explore.Entry) tea.Cmd) func(*app) tea.Cmd {
	return func(a *app) tea.Cmd {
		if l.on == "" {
			a.tell(plain, "there is no message here")
			return nil
		}
		return run(a, l.under())
	}
}

// otherAccount closes this one.
func (a *app) otherAccount() tea.Cmd {
	return a.part("close this account", func(a *app) tea.Cmd { return a.closeAccount() })
}

// comeBack opens the maildrop again, or lists it anew.
func (a *app) comeBack() tea.Cmd { return a.connect("") }
