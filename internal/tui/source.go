package tui

import (
	"sort"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// A rawView shows a message as it crossed the wire, with its line ends, and the
// dots that were stuffed. It holds the lines that are seen and no more.
type rawView struct {
	r     *reader
	first int // the line at the top, from 0
	left  int // cells that are scrolled out at the left
	lines []explore.RawLine
	h     int
	end   bool  // the last line is among lines
	err   error // why there are none
	want  int   // the first line that was asked for last: older answers come too late
}

// sourceCame brings lines.
type sourceCame struct {
	source *rawView
	asked  int
	first  int // differs where there are fewer lines
	lines  []explore.RawLine
	more   bool
	err    error
}

func (r *reader) showSource(a *app) tea.Cmd {
	s := &rawView{r: r}
	a.push(s)
	s.h = max(1, a.room())
	return s.read(a, 0)
}

// read gets the lines from first on, beside the screen: a message may be large.
func (s *rawView) read(a *app, first int) tea.Cmd {
	s.want = max(0, first)
	h, page := max(s.h, a.height), s.h
	stored, asked := s.r.stored, s.want
	a.running.Add(1)
	return func() tea.Msg {
		defer a.running.Done()
		first := asked
		lines, err := stored.RawLines(first, h+1)
		if err == nil && len(lines) == 0 && first > 0 {
			first = max(0, lineCount(stored)-page)
			lines, err = stored.RawLines(first, h+1)
		}
		return sourceCame{s, asked, first, lines[:min(len(lines), h)], len(lines) > h, err}
	}
}

// lineCount finds how many lines there are by asking for some.
func lineCount(stored *explore.Stored) int {
	beyond := func(n int) bool {
		lines, err := stored.RawLines(n, 1)
		return err != nil || len(lines) == 0
	}
	high := 1024
	for !beyond(high) && high < 1<<30 {
		high *= 2
	}
	return sort.Search(high, beyond)
}

func (s *rawView) came(msg sourceCame) {
	if msg.asked != s.want {
		return
	}
	s.want = msg.first
	s.first, s.lines, s.err = msg.first, msg.lines, msg.err
	s.end = !msg.more
}

func (s *rawView) title() shown {
	at := "source of " + numbered(s.r.entry) + ", line " + count(s.first+1)
	if s.end && s.h >= len(s.lines) {
		at += " to the end"
	}
	return at
}

func (s *rawView) keys(*app) []key {
	keys := []key{
		{on: "esc q S", name: "esc", does: "back", run: s.back},
		{on: "left", name: "←", does: "left", help: "long lines: to the left", run: func(*app) tea.Cmd { s.left = max(0, s.left-20); return nil }},
		{on: "right", name: "→", does: "right", help: "long lines: to the right", run: func(*app) tea.Cmd { s.left += 20; return nil }},
		{on: "w", does: "save", help: "save the whole message as it is", run: func(a *app) tea.Cmd { return a.saveMessage(s.r.entry) }},
		{on: "d", does: "mark", help: "mark the message for deletion", run: func(a *app) tea.Cmd { return a.markOne(s.r.entry, true) }},
		{on: "u", help: "take its mark away", run: func(a *app) tea.Cmd { return a.markOne(s.r.entry, false) }},
		{on: "space", help: "one page down", run: func(a *app) tea.Cmd { return s.scroll(a, max(1, s.h-1)) }},
	}
	return append(keys, moves(s.scroll, func() int { return max(1, s.h-1) })...)
}

// back leaves the source; a message that has no text to show is left with it.
func (s *rawView) back(a *app) tea.Cmd {
	a.pop()
	if s.r.part == nil && len(s.r.msg.Attachments()) == 0 {
		a.pop()
	}
	return nil
}

func (s *rawView) scroll(a *app, n int) tea.Cmd {
	if n > 0 && s.end && len(s.lines) <= s.h {
		return nil
	}
	return s.read(a, s.want+n)
}

func (s *rawView) rows(a *app, w, h int) []string {
	t := a.theme
	s.h = h
	if s.err != nil {
		return t.page(complaint(t, s.err, w), w, h)
	}
	var rows []row
	for _, l := range s.lines {
		rows = append(rows, s.line(t, l))
	}
	return t.page(rows, w, h)
}

// line draws a line: a stuffed dot, the text, its end.
func (s *rawView) line(t *theme, l explore.RawLine) row {
	var r row
	if l.Stuffed && s.left == 0 {
		r = append(r, span{"(.)", sign})
	}
	r = append(r, span{t.cut(source(l.Text), s.left), plain})
	if l.Cut > 0 {
		r = append(r, span{" … " + count(l.Cut) + " more octets ", sign})
	}
	switch l.End {
	case "CRLF":
		r = append(r, span{"␍␊", sign})
	case "LF":
		r = append(r, span{"␊", sign})
	default:
		r = append(r, span{"(no line end)", sign})
	}
	return r
}
