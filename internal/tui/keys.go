package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// A key is a row of a screen's table: the footer, the help and what happens come
// from the same rows.
type key struct {
	on   string // as bubbletea names it; several are separated by spaces
	name shown  // as people call it; empty: on
	does shown  // in the footer, a word or two; empty: in the help only
	help shown  // in the help, a sentence; empty: does
	run  func(*app) tea.Cmd
}

func (k key) label() shown {
	if k.name != "" {
		return k.name
	}
	return shown(k.on)
}

// find returns what a pressed key does.
func find(keys []key, pressed string) (key, bool) {
	for _, k := range keys {
		if slices.Contains(strings.Fields(k.on), pressed) {
			return k, true
		}
	}
	return key{}, false
}

// footer lists keys in n cells, the first ones first.
func footer(t *theme, keys []key, n int) row {
	var r row
	for _, k := range keys {
		if k.does == "" {
			continue
		}
		w := t.width(k.label()) + 1 + t.width(k.does)
		if len(r) > 0 {
			w += 2
		}
		if w > n {
			continue
		}
		if len(r) > 0 {
			r = append(r, span{"  ", plain})
		}
		r = append(r, span{k.label(), accent}, span{" " + k.does, plain})
		n -= w
	}
	return r
}

// moves are the keys that every screen has that can be scrolled. by moves so many
// lines, page is a page's, and all is more than there can be.
func moves(by func(a *app, n int) tea.Cmd, page func() int) []key {
	const all = 1 << 30
	step := func(n func() int) func(*app) tea.Cmd {
		return func(a *app) tea.Cmd { return by(a, n()) }
	}
	fixed := func(n int) func(*app) tea.Cmd { return step(func() int { return n }) }
	return []key{
		{on: "up k", name: "↑ k", help: "one line up", run: fixed(-1)},
		{on: "down j", name: "↓ j", help: "one line down", run: fixed(1)},
		{on: "pgup b ctrl+b", name: "PgUp b", help: "one page up", run: step(func() int { return -page() })},
		{on: "pgdown f ctrl+f", name: "PgDn f", help: "one page down", run: step(func() int { return page() })},
		{on: "home g", name: "Home g", help: "to the beginning", run: fixed(-all)},
		{on: "end G", name: "End G", help: "to the end", run: fixed(all)},
	}
}
