package tui

import tea "charm.land/bubbletea/v2"

// A pager is text that can be scrolled. build makes its rows for a width; it is
// called again when that changes.
type pager struct {
	build func(t *theme, w int) []row
	built []row
	w     int
	t     *theme
	top   int
	h     int // lines at the last drawing: a page
}

// stale has the rows built again.
func (p *pager) stale() { p.t = nil }

func (p *pager) all(t *theme, w int) []row {
	if p.t != t || p.w != w {
		p.built, p.t, p.w = p.build(t, w), t, w
	}
	return p.built
}

func (p *pager) draw(t *theme, w, h int) []string {
	rows := p.all(t, w)
	p.h = h
	p.top = max(0, min(p.top, len(rows)-h))
	return t.page(rows[p.top:], w, h)
}

func (p *pager) move(n int) {
	p.top = max(0, min(p.top+n, len(p.built)-p.h))
}

// keys are those for scrolling.
func (p *pager) keys() []key {
	return moves(func(_ *app, n int) tea.Cmd { p.move(n); return nil }, func() int { return max(1, p.h-1) })
}

// below says how much is still to come, for a title.
func (p *pager) below() shown {
	if rest := len(p.built) - p.top - p.h; rest > 0 && p.h > 0 {
		return " (" + many(rest, "more line") + ")"
	}
	return ""
}

// A textPage is a screen of text: help, a report, what happened.
type textPage struct {
	name shown
	pager
	own []key // beside scrolling and going back
}

func newTextPage(name shown, build func(t *theme, w int) []row, own ...key) *textPage {
	return &textPage{name: name, pager: pager{build: build}, own: own}
}

func (p *textPage) title() shown { return p.name + p.below() }

func (p *textPage) keys(*app) []key {
	keys := append(append([]key{}, p.own...), key{on: "esc q", name: "esc", does: "back", run: (*app).pop})
	return append(keys, p.pager.keys()...)
}

func (p *textPage) rows(a *app, w, h int) []string { return p.draw(a.theme, w, h) }
