package tui

import tea "charm.land/bubbletea/v2"

// help lists all keys of the screen that is seen, and says how things are here.
func (a *app) help() tea.Cmd {
	if p, ok := a.top().(*textPage); ok && p.name == helpName {
		return nil
	}
	own, all, about := a.top().keys(a), everywhere(a), howItWorks(a.mailProgram())
	return a.push(newTextPage(helpName, func(t *theme, w int) []row {
		rows := []row{text(strong, "How it works")}
		for _, s := range about {
			rows = append(rows, t.paragraph(row{{" – ", dim}}, plain, s, w)...)
		}
		rows = append(rows, nil, text(strong, "Keys here"))
		rows = append(rows, keyRows(t, own, w)...)
		rows = append(rows, nil, text(strong, "Keys everywhere"))
		return append(rows, keyRows(t, all, w)...)
	}))
}

const helpName = "help"

func keyRows(t *theme, keys []key, w int) []row {
	var rows []row
	for _, k := range keys {
		help := k.help
		if help == "" {
			help = k.does
		}
		rows = append(rows, t.paragraph(row{{" " + t.fit(k.label(), 8) + " ", accent}}, plain, help, w)...)
	}
	return rows
}

func howItWorks(mailProgram shown) []shown {
	return []shown{
		"Looking deletes nothing. Marking deletes nothing either: it is a note that is kept here. Only D shows what is marked and deletes it, after you have typed yes.",
		"While the mailbox is HELD, " + mailProgram + " cannot get in. When nobody presses a key for a while it is let go; l does that at once, r comes back with a fresh list. Marks are kept meanwhile.",
		"A message with ! cannot be looked at. It may be the one that " + mailProgram + " chokes on. It can be marked and deleted all the same.",
		"If the connection is lost, nothing is deleted.",
	}
}
