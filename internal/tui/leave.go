package tui

import tea "charm.land/bubbletea/v2"

const leaving = "leave"

// leave ends the program. With marks it asks: they were made for something.
func (a *app) leave() tea.Cmd { return a.part(leaving, func(*app) tea.Cmd { return tea.Quit }) }

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
			"If you " + what + " now, nothing is deleted, and the marks are forgotten; ctrl+c leaves at once.",
		},
	}
	m.back, m.leave = (*app).pop, "stay"
	m.items = []item{
		{"stay", "", (*app).pop},
		{what + ", delete nothing", "", run},
		{"see what is marked, to delete it", "", func(a *app) tea.Cmd { a.pop(); return a.stage() }},
	}
	return a.push(m)
}

// forgotten says what becomes of marks when a person leaves.
func (a *app) forgotten() shown {
	a.refreshStatus()
	if a.status.Marked == 0 {
		return ""
	}
	return ", and " + many(a.status.Marked, "mark") + " will be forgotten"
}

// interrupt is ctrl+c: the second in a row leaves whatever there is.
func (a *app) interrupt() tea.Cmd {
	a.prompt = nil
	if a.job != nil {
		if a.job.stopping {
			return tea.Quit
		}
		a.stop()
		a.tell(warning, "ctrl+c again leaves: nothing is deleted by that"+a.forgotten())
		return nil
	}
	if m, asked := a.top().(*menu); a.leaving || asked && m.name == leaving {
		return tea.Quit
	}
	a.leaving = true
	return a.leave()
}
