package tui

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postfach/internal/explore"
)

// A screen is one thing to look at. It draws from what it holds and what the app
// holds, and asks nobody.
type screen interface {
	title() shown
	keys(a *app) []key
	rows(a *app, w, h int) []string
}

// A refresher is a screen that follows the maildrop.
type refresher interface{ refresh(a *app) }

// An app is the model that bubbletea runs. Only its goroutine touches it, but for
// what says otherwise.
type app struct {
	// ctx ends with Run. It is kept because commands begin long after the call
	// that knew it.
	ctx    context.Context
	cancel context.CancelFunc
	picker explore.Picker
	saveTo string
	now    func() time.Time

	theme         *theme
	dark          bool
	width, height int

	e       *explore.Explorer // nil: no account is chosen
	account explore.Account
	status  explore.Status
	watched time.Duration // how long the last refresh took

	screens  []screen // the last is seen
	list     *list    // nil: never connected
	typed    string   // the address that was typed in last
	protocol protocol
	prompt   *prompt
	job      *job
	said     *saying
	leaving  bool // ctrl+c was pressed, and asked about marks

	running sync.WaitGroup // jobs
	mu      sync.Mutex     // guards held
	held    map[io.Closer]struct{}
}

// A saying is something to read until the next key.
type saying struct {
	look look
	text shown
	err  error
}

func newApp(ctx context.Context, p explore.Picker, o Options) *app {
	a := &app{picker: p, saveTo: o.SaveTo, now: time.Now, dark: true, theme: newTheme(true), held: map[io.Closer]struct{}{}}
	a.ctx, a.cancel = context.WithCancel(ctx)
	if here, err := os.Getwd(); err == nil && a.saveTo == "" {
		a.saveTo = here // a person sees where things go
	}
	a.screens = []screen{newAccounts(a)}
	return a
}

// close ends all work, and lets go of the maildrop without deleting anything.
func (a *app) close() {
	a.cancel()
	a.running.Wait()
	a.mu.Lock()
	for c := range a.held {
		c.Close()
	}
	a.held = nil
	a.mu.Unlock()
	if a.e != nil {
		a.e.Close()
	}
}

// hold has c closed at the end, unless drop does it sooner. Any goroutine may
// call both.
func (a *app) hold(c io.Closer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.held != nil {
		a.held[c] = struct{}{}
	}
}

func (a *app) drop(c io.Closer) {
	a.mu.Lock()
	delete(a.held, c)
	a.mu.Unlock()
	c.Close()
}

// tick is a second's passing: times that are left are drawn anew.
type tick struct{}

func ticking() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tick{} })
}

// Init implements tea.Model.
func (a *app) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, ticking()}
	if a.picker.Start != nil {
		cmds = append(cmds, a.choose(*a.picker.Start))
	}
	return tea.Batch(cmds...)
}

// Update implements tea.Model.
func (a *app) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := a.handle(msg)
	if a.list != nil {
		cmd = tea.Batch(cmd, a.list.preview.follow(a))
	}
	return a, cmd
}

func (a *app) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		a.width, a.height = msg.Width, msg.Height
		a.refresh()
	case tea.BackgroundColorMsg:
		a.dark = msg.IsDark()
		a.restyle(a.theme.cells)
	case tea.ModeReportMsg:
		if msg.Mode == ansi.ModeUnicodeCore && (msg.Value == ansi.ModeSet || msg.Value == ansi.ModeReset || msg.Value == ansi.ModePermanentlySet) {
			a.restyle(ansi.GraphemeWidth) // as bubbletea counts from here on
		}
	case tea.PasteMsg:
		if a.prompt != nil {
			a.prompt.input.paste(msg.Content)
			return a.prompt.changed(a)
		}
	case tea.KeyPressMsg:
		return a.press(msg)
	case tick:
		a.refreshStatus()
		return ticking()
	case changed:
		return a.changed(msg)
	case lookAgain:
		if msg.e == a.e {
			return a.watch()
		}
	case spin:
		if msg.job == a.job {
			return spinAgain(msg.job)
		}
	case jobDone:
		if a.job == msg.job {
			a.job = nil
		}
		cmd := msg.then(a)
		a.refresh()
		return cmd
	case previewDue:
		return a.list.preview.due(a, msg)
	case previewed:
		a.list.preview.came(msg)
	case sourceCame:
		msg.source.came(msg)
	}
	return nil
}

func (a *app) restyle(cells ansi.Method) {
	a.theme = newTheme(a.dark)
	a.theme.cells = cells
}

// press handles a key: first a prompt has it, then the screen, then all screens'.
func (a *app) press(k tea.KeyPressMsg) tea.Cmd {
	if a.e != nil {
		a.e.Touch()
	}
	a.said = nil
	pressed := k.String()
	if pressed == "ctrl+c" {
		return a.interrupt()
	}
	a.leaving = false
	if pressed == "esc" && a.job != nil {
		a.stop()
		return nil
	}
	if a.job != nil && !whileWorking(pressed) {
		a.tell(warning, "still "+a.job.what+" – esc stops it")
		return nil
	}
	if a.prompt != nil {
		cmd, used := a.prompt.key(a, k)
		if used {
			a.refresh()
			return cmd
		}
		switch pressed {
		case "up", "down", "pgup", "pgdown":
		default:
			return nil
		}
	}
	pressedKey, ok := find(a.top().keys(a), pressed)
	if !ok {
		pressedKey, ok = find(everywhere(a), pressed)
	}
	if !ok {
		return nil
	}
	cmd := pressedKey.run(a)
	a.refresh()
	return cmd
}

// top is the screen that is seen.
func (a *app) top() screen { return a.screens[len(a.screens)-1] }

func (a *app) push(s screen) tea.Cmd {
	a.screens = append(a.screens, s)
	return nil
}

// pop goes back to the screen before. A screen that holds something lets go of it.
func (a *app) pop() tea.Cmd {
	if len(a.screens) == 1 {
		return nil
	}
	gone := a.top()
	a.screens = a.screens[:len(a.screens)-1]
	if c, ok := gone.(interface{ closed(a *app) }); ok {
		c.closed(a)
	}
	return nil
}

// popTo goes back until s is seen.
func (a *app) popTo(s screen) {
	for len(a.screens) > 1 && a.top() != s {
		a.pop()
	}
}

// tell says something until the next key.
func (a *app) tell(l look, s shown) { a.said = &saying{look: l, text: s} }

// fail says what went wrong, until the next key.
func (a *app) fail(err error) { a.said = &saying{err: err} }
