package tui

import (
	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// orders are the columns that the list can be sorted by, as they stand on the
// screen.
func orders() []explore.Sort {
	return []explore.Sort{explore.ByNumber, explore.BySize, explore.ByDate, explore.ByFrom, explore.BySubject}
}

func orderName(s explore.Sort) shown {
	return [...]shown{"number", "size", "date", "from", "subject"}[s]
}

// columnKeys are 1 to 5: a column each.
func (l *list) columnKeys() []key {
	var keys []key
	for i, s := range orders() {
		keys = append(keys, key{on: string(rune('1' + i)), help: "sort by " + orderName(s) + "; again: the other direction", run: func(a *app) tea.Cmd {
			if l.query.Sort == s {
				return l.turn(a)
			}
			return l.order(a, s, false)
		}})
	}
	return keys
}

func (l *list) order(a *app, s explore.Sort, descending bool) tea.Cmd {
	l.query.Sort, l.query.Descending = s, descending
	l.refresh(a)
	direction := shown("ascending")
	if descending {
		direction = "descending"
	}
	a.tell(dim, "sorted by "+orderName(s)+", "+direction)
	return nil
}

func (l *list) sort(a *app) tea.Cmd {
	return l.order(a, orders()[(int(l.query.Sort)+1)%len(orders())], false)
}

func (l *list) turn(a *app) tea.Cmd { return l.order(a, l.query.Sort, !l.query.Descending) }

// search searches while one types. Enter keeps what was found, escape shows all.
func (l *list) search(a *app) tea.Cmd {
	find := func(a *app, typed string) tea.Cmd {
		l.query.Search = typed
		l.refresh(a)
		return nil
	}
	a.prompt = &prompt{label: "search:", input: newInput(l.query.Search), enter: find, change: find, escape: l.endSearch}
	return nil
}

func (l *list) endSearch(a *app) tea.Cmd {
	l.query.Search = ""
	l.refresh(a)
	return nil
}

func (l *list) markedOnly(*app) tea.Cmd {
	l.query.MarkedOnly = !l.query.MarkedOnly
	return nil
}

// standing says how the list differs from the whole maildrop.
func (l *list) standing(a *app) row {
	var r row
	if l.query.Search != "" && (a.prompt == nil || a.width >= 70) {
		r = append(r, span{" · /" + line(l.query.Search) + ": " + count(l.page.Total) + " found", strong})
	}
	if l.page.Unknown > 0 {
		r = append(r, span{" · " + many(l.page.Unknown, "header") + " to be read", dim})
	}
	return r
}
