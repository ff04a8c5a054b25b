package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explain"
)

// A wire is the protocol on the whole screen. It follows what is said as long as
// the end is seen. Its rows are kept: there are thousands, and more come while one
// reads.
type wire struct {
	protocol *protocol
	read     int   // lines that have rows, as protocol.next counts
	begin    []int // the row that each line of protocol.lines begins with
	first    int   // the number of the first of them
	built    []row
	t        *theme
	w, h     int
	top      int
	away     bool // from the end
	at       int  // the number of the line that was jumped to; -1: none
}

func (a *app) showWire() tea.Cmd {
	if _, already := a.top().(*wire); already {
		return nil
	}
	return a.push(&wire{protocol: &a.protocol, at: -1})
}

func (v *wire) title() shown {
	if rest := len(v.built) - v.top - v.h; rest > 0 && v.h > 0 {
		return "on the wire (" + many(rest, "more line") + ")"
	}
	return "on the wire"
}

func (v *wire) keys(*app) []key {
	keys := []key{
		{on: "esc q P", name: "esc", does: "back", run: (*app).pop},
		{on: "e", does: "trouble before", help: "to the refusal, lost connection or broken rule before", run: func(a *app) tea.Cmd { return v.jump(a, true) }},
		{on: "E", does: "next", help: "to the next one", run: func(a *app) tea.Cmd { return v.jump(a, false) }},
		{on: "space", help: "one page down", run: func(*app) tea.Cmd { v.move(max(1, v.h-1)); return nil }},
	}
	return append(keys, moves(func(_ *app, n int) tea.Cmd { v.move(n); return nil }, func() int { return max(1, v.h-1) })...)
}

func (v *wire) move(n int) {
	end := max(0, len(v.built)-v.h)
	v.top = max(0, min(v.top+n, end))
	v.away = v.top < end
}

// build makes rows of lines that have none.
func (v *wire) build(t *theme, w int) {
	p := v.protocol
	first := p.next - len(p.lines)
	if t != v.t || w != v.w || first != v.first {
		keep := v.lineAt(v.top)
		v.t, v.w, v.first, v.read, v.begin, v.built = t, w, first, first, nil, nil
		defer func() { v.top = v.rowOf(keep) }()
	}
	for ; v.read < p.next; v.read++ {
		v.begin = append(v.begin, len(v.built))
		v.built = append(v.built, said(t, p.lines[v.read-first], w)...)
	}
}

// lineAt is the number of the line that a row belongs to, rowOf its first row.
func (v *wire) lineAt(row int) int {
	i, found := slices.BinarySearch(v.begin, row)
	if !found {
		i--
	}
	return v.first + max(0, i)
}

func (v *wire) rowOf(n int) int {
	if i := n - v.first; i >= 0 && i < len(v.begin) {
		return v.begin[i]
	}
	return 0
}

func (v *wire) rows(a *app, w, h int) []string {
	v.build(a.theme, w)
	v.h = h
	end := max(0, len(v.built)-h)
	if !v.away || v.top > end {
		v.top, v.away = end, false
	}
	out := a.theme.page(v.built[v.top:], w, h)
	if i := v.rowOf(v.at) - v.top; v.at >= v.first && i >= 0 && i < min(h, len(v.built)-v.top) {
		out[i] = a.theme.draw(v.built[v.top+i], w, cursor)
	}
	return out
}

// jump goes to trouble: the last before where one is, or the next.
func (v *wire) jump(a *app, back bool) tea.Cmd {
	all := troubles(v.protocol.lines, v.protocol.next-len(v.protocol.lines))
	from := v.at
	if from < 0 {
		from = v.protocol.next
	}
	i, found := slices.BinarySearch(all, from)
	switch {
	case back:
		i--
	case found:
		i++
	}
	if i < 0 || i >= len(all) {
		a.tell(plain, "no refusal, lost connection or broken rule that way")
		return nil
	}
	v.at = all[i]
	v.top = max(0, v.rowOf(v.at)-v.h/3)
	v.move(0)
	return nil
}

// troubles are the numbers of the lines that a person looks for: refusals, broken
// rules, connections that ended without QUIT. first is the number of the first.
func troubles(lines []explain.Line, first int) []int {
	quit, ended := map[string]bool{}, map[string]int{}
	for i, l := range lines {
		quit[l.Session] = quit[l.Session] || l.Client && l.Note.Keyword == "QUIT"
		delete(ended, l.Session) // an event is the end where nothing follows
		if l.Note.Place == explain.Event {
			ended[l.Session] = i
		}
	}
	var all []int
	for i, l := range lines {
		last, over := ended[l.Session]
		if l.Note.Refused || l.Note.Warning || over && last == i && !quit[l.Session] {
			all = append(all, first+i)
		}
	}
	return all
}
