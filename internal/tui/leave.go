package tui

import tea "charm.land/bubbletea/v2"

// leave ends the program. With marks it asks: they were made for something.
func (a *app) leave() tea.Cmd { return a.part("leave", func(*app) tea.Cmd { return tea.Quit }) }

// part does what loses the marks, after asking.
func (a *app) part(what shown, run func(*app) tea.Cmd) tea.Cmd {
	a.refreshStatus()
	if a.status.Marked == 0 {
		return run(a)
	}
	m := &menu{
		name: what,
		above: []shown{
			many(a.status.Marked, "message") + " marked for deletion.",
			"If you " + what + " now, nothing is deleted, and the marks are forgotten.",
		},
	}
	m.items = []item{
		{"stay", "", (*app).pop},
		{what + ", delete nothing", "", run},
		{"see what is marked, to delete it", "", func(a *app) tea.Cmd { a.pop(); return a.stage() }},
	}
	return a.push(m)
}

// interrupt is ctrl+c: the second in a row leaves whatever there is.
func (a *app) interrupt() tea.Cmd {
	if a.leaving {
		return tea.Quit
	}
	a.leaving = true
	a.prompt = nil
	if a.job != nil {
		a.stop()
		a.tell(warning, "ctrl+c again leaves; nothing is deleted by that")
		return nil
	}
	return a.leave()
}
