package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// Changes come faster than anybody reads: the screen looks at most twenty times a
// second, and less often where looking takes long.
const lookEvery = 50 * time.Millisecond

// changed says that an Explorer has something new, lookAgain that it is time to
// look.
type (
	changed   struct{ e *explore.Explorer }
	lookAgain struct{ e *explore.Explorer }
)

// watch looks, and returns the command that waits for the next change.
func (a *app) watch() tea.Cmd {
	e, news := a.e, a.e.Changed() // before looking: nothing is missed
	a.refresh()
	return func() tea.Msg {
		select {
		case <-news:
		case <-a.ctx.Done():
		}
		return changed{e}
	}
}

func (a *app) changed(msg changed) tea.Cmd {
	if msg.e != a.e || a.ctx.Err() != nil {
		return nil
	}
	return tea.Tick(max(lookEvery, 10*a.watched), func(time.Time) tea.Msg { return lookAgain(msg) })
}

// refresh takes what the engine has now.
func (a *app) refresh() {
	if a.e == nil {
		return
	}
	began := time.Now()
	a.refreshStatus()
	a.protocol.refresh(a)
	if a.list != nil {
		a.list.refresh(a)
	}
	if r, ok := a.top().(refresher); ok && r != refresher(a.list) {
		r.refresh(a)
	}
	a.watched = time.Since(began)
}

func (a *app) refreshStatus() {
	if a.e != nil {
		a.status = a.e.Status()
	}
}
