package tui

import tea "charm.land/bubbletea/v2"

// A menu is a screen to choose from.
type menu struct {
	name  shown
	above []shown // what it is about
	items []item
	at    int
	own   []key
	back  func(*app) tea.Cmd // esc; nil: to the screen before
	leave shown              // what back does, if it is not that
}

// An item is a line of a menu.
type item struct {
	name, beside shown
	run          func(*app) tea.Cmd
}

func (m *menu) title() shown { return m.name }

func (m *menu) keys(*app) []key {
	back := m.back
	if back == nil {
		back = (*app).pop
	}
	keys := []key{{on: "enter", does: "choose", help: "choose the line under the cursor", run: func(a *app) tea.Cmd { return m.items[m.at].run(a) }}}
	keys = append(keys, m.own...)
	keys = append(keys, key{on: "esc q", name: "esc", does: orNone(m.leave, "back"), run: back})
	return append(keys, moves(func(_ *app, n int) tea.Cmd {
		m.at = max(0, min(m.at+n, len(m.items)-1))
		return nil
	}, func() int { return 10 })...)
}

func (m *menu) rows(a *app, w, h int) []string {
	t := a.theme
	var rows []row
	for _, s := range m.above {
		rows = append(rows, t.paragraph(row{{" ", plain}}, plain, s, w)...)
	}
	if len(rows) > 0 {
		rows = append(rows, nil)
	}
	rows = rows[:min(len(rows), max(0, h-4))]
	out := t.page(rows, w, len(rows))
	room := max(1, h-len(rows))
	top := max(0, min(m.at-room/2, len(m.items)-room))
	for i := top; i < min(top+room, len(m.items)); i++ {
		it := m.items[i]
		mark, over := shown("   "), plain
		if i == m.at {
			mark, over = " > ", cursor
		}
		out = append(out, t.draw(row{{mark, plain}, {it.name, plain}, {"  " + it.beside, dim}}, w, over))
	}
	return append(out, t.page(nil, w, max(0, h-len(out)))...)
}
