package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// A prompt asks for a line at the foot of the screen. Keys go to it first; those
// that it does not know go to the screen, so that one can scroll meanwhile.
type prompt struct {
	label  shown
	input  input
	err    error // below it: why what was typed does not do
	enter  func(a *app, typed string) tea.Cmd
	change func(a *app, typed string) tea.Cmd // may be nil
	escape func(a *app) tea.Cmd               // may be nil
}

// key handles a key and reports whether it was one for it. Enter and escape end
// the prompt; enter may open it again.
func (p *prompt) key(a *app, k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch k.String() {
	case "enter":
		a.prompt = nil
		return p.enter(a, p.input.value()), true
	case "esc":
		a.prompt = nil
		if p.escape != nil {
			return p.escape(a), true
		}
		return nil, true
	}
	if !p.input.key(k) {
		return nil, false
	}
	return p.changed(a), true
}

func (p *prompt) changed(a *app) tea.Cmd {
	p.err = nil
	if p.change == nil {
		return nil
	}
	return p.change(a, p.input.value())
}

// again opens the prompt once more, with what was wrong.
func (p *prompt) again(a *app, err error) {
	p.err = err
	a.prompt = p
}

// rows draws it in at most h lines: of what is wrong as much as there is room for.
func (p *prompt) rows(t *theme, w, h int) []row {
	ask := p.ask(t, w)
	ask = ask[max(0, len(ask)-h):]
	if p.err == nil {
		return ask
	}
	return append(shorten(t, complaint(t, p.err, w), w, h-len(ask)), ask...)
}

// shorten leaves out what is more than h lines, and shows that.
func shorten(t *theme, rows []row, w, h int) []row {
	if len(rows) <= h || h <= 0 {
		return rows[:min(len(rows), max(0, h))]
	}
	last := append(row{}, rows[h-1]...)
	if len(last) == 0 {
		last = row{{}}
	}
	used := 0
	for _, s := range last {
		used += t.width(s.text)
	}
	end := &last[len(last)-1]
	if over := used + 2 - w; over > 0 {
		end.text = t.fit(end.text, t.width(end.text)-over-1)
	}
	end.text = shown(strings.TrimRight(string(end.text), " …")) + " …"
	return append(slices.Clone(rows[:h-1]), last)
}

// ask is the question, and what was typed.
func (p *prompt) ask(t *theme, w int) []row {
	var rows []row
	label := p.label + " "
	if t.width(label) > w/2 {
		for _, part := range t.wrap(p.label, w) {
			rows = append(rows, text(strong, part))
		}
		label = "> "
	}
	return append(rows, append(row{{label, strong}}, p.input.row(t, w-t.width(label))...))
}

// complaint says what went wrong and what to do.
func complaint(t *theme, err error, w int) []row {
	rows := t.paragraph(row{{"! ", warning}}, warning, errorLine(err), w)
	if h := hintLine(err); h != "" {
		rows = append(rows, t.paragraph(row{{"  ", plain}}, plain, h, w)...)
	}
	return rows
}
