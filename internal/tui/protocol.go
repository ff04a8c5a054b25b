package tui

import (
	tea "charm.land/bubbletea/v2"

	"postfach/internal/explain"
)

// maxLog bounds the lines that can be scrolled back to.
const maxLog = 5000

// A protocol is what was said on the wire, with what it means, newest last.
type protocol struct {
	shows bool // the pane is open
	lines []explain.Line
	next  int
	up    int // lines of the conversation between the last one that is seen and the newest
}

func (p *protocol) refresh(a *app) {
	lines, next := a.e.Log(p.next)
	if next == p.next && len(lines) == 0 {
		return
	}
	p.lines, p.next = append(p.lines, lines...), next
	if p.up > 0 { // what is read stays where it is
		p.up += len(lines)
	}
	if over := len(p.lines) - maxLog; over > maxLog/5 { // not for each line
		p.lines = append([]explain.Line(nil), p.lines[over:]...)
	}
	p.scroll(0)
}

func (p *protocol) scroll(n int) { p.up = max(0, min(p.up+n, len(p.lines)-1)) }

// height is how many lines the pane has of those that a screen leaves.
func (p *protocol) height(a *app, body int) int {
	if _, whole := a.top().(*wire); whole || !p.shows || a.e == nil || body < 6 {
		return 0
	}
	return min(max(3, body/3), 16)
}

// pane draws the pane under a screen.
func (p *protocol) pane(t *theme, w, h int) []string {
	if h == 0 {
		return nil
	}
	head := shown("─ on the wire (P all of it, [ ] scroll, p closes) ")
	if p.up > 0 {
		head = "─ on the wire, " + many(p.up, "line") + " before the newest (P all of it, [ ] scroll) "
	}
	out := []string{t.draw(text(dim, head+dashes(w-t.width(head))), w, plain)}
	return append(out, p.draw(t, w, h-1)...)
}

// draw fills h lines from the newest upwards.
func (p *protocol) draw(t *theme, w, h int) []string {
	var rows []row
	for i := len(p.lines) - 1 - p.up; i >= 0 && len(rows) < h; i-- {
		rows = append(said(t, p.lines[i], w), rows...)
	}
	if over := len(rows) - h; over > 0 {
		rows = rows[over:]
	}
	// At the very beginning there is room below.
	for i := len(p.lines) - p.up; i < len(p.lines) && len(rows) < h; i++ {
		rows = append(rows, said(t, p.lines[i], w)...)
	}
	return t.page(rows, w, h)
}

// said draws one line of the conversation: what was said, and what it means beside
// it, or beneath where the screen is narrow.
func said(t *theme, l explain.Line, w int) []row {
	who := span{"S ", good}
	switch {
	case l.Note.Place == explain.Event:
		who = span{"* ", dim}
	case l.Client:
		who = span{"C ", accent}
	}
	label := row{who}
	if w >= 60 {
		label = row{{date(l.Time, "15:04:05"), dim}, {" ", plain}, who}
	}
	words, look := line(l.Text), plain
	meaning := line(l.Note.Meaning)
	if l.Note.Next != "" && !l.Client {
		meaning += " → " + line(l.Note.Next)
	}
	beside := dim
	if l.Note.Warning {
		beside, meaning = warning, "! "+meaning
	}
	if l.Note.Refused {
		look = warning
	}
	if words == "" { // an event, or folded lines: there is only the meaning
		return t.paragraph(label, beside, meaning, w)
	}
	if w >= 110 && meaning != "" {
		return besides(t, t.paragraph(label, look, words, w*2/5), beside, meaning, w)
	}
	rows := t.paragraph(label, look, words, w)
	if meaning != "" {
		rows = append(rows, t.paragraph(row{{"    ", plain}}, beside, meaning, w)...)
	}
	return rows
}

// besides puts text to the right of rows that are two fifths of the width.
func besides(t *theme, rows []row, l look, s shown, w int) []row {
	if s == "" {
		return rows
	}
	column := w*2/5 + 2
	for i, part := range t.wrap(s, w-column) {
		if i == len(rows) {
			rows = append(rows, nil)
		}
		used := 0
		for _, sp := range rows[i] {
			used += t.width(sp.text)
		}
		rows[i] = append(rows[i], span{spaces(column - used), plain}, span{part, l})
	}
	return rows
}

// everywhere are the keys that all screens have.
func everywhere(a *app) []key {
	keys := []key{{on: "?", does: "help", help: "this help", run: (*app).help}}
	if _, already := find(a.top().keys(a), "?"); already {
		keys[0].does = ""
	}
	if a.e == nil {
		return append(keys, key{on: "ctrl+c", name: "^C", help: "leave; nothing is deleted by that", run: (*app).interrupt})
	}
	return append(keys,
		key{on: "p", does: "protocol", help: "what is said on the wire, with its meaning: on or off", run: func(a *app) tea.Cmd {
			a.protocol.shows = !a.protocol.shows
			return nil
		}},
		key{on: "P", help: "the same on the whole screen", run: (*app).showWire},
		key{on: "[", help: "scroll it up", run: func(a *app) tea.Cmd { a.protocol.scroll(2); return nil }},
		key{on: "]", help: "scroll it down", run: func(a *app) tea.Cmd { a.protocol.scroll(-2); return nil }},
		key{on: "n", help: "dismiss the notice", run: (*app).dismiss},
		key{on: "N", help: "read all of the notice", run: (*app).readNotice},
		key{on: "ctrl+c", name: "^C", help: "leave; nothing is deleted by that", run: (*app).interrupt},
	)
}
