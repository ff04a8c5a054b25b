package tui

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postfach/internal/explore"
	"postfach/pop3"
	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// patience is how long tests wait for something that must come.
const patience = 15 * time.Second

// account is the test server's, in TLS, with its password known.
func account(addrTLS string, roots *x509.CertPool) explore.Account {
	trust := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	return explore.Account{
		Name: "somebody", User: pop3test.User, Host: "localhost",
		Dial: func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
			return pop3client.Dial(ctx, addrTLS, &pop3client.Options{TLS: trust, Trace: trace})
		},
		Login: func(ctx context.Context, c *pop3client.Client, password string) error {
			return c.Login(ctx, pop3test.User, password)
		},
		Password: func(context.Context) (string, error) { return pop3test.Password, nil },
		Question: &pop3check.Question{Host: addrTLS, TLS: trust, Security: []pop3client.Security{pop3client.ImplicitTLS}},
	}
}

// A stage runs an app without a terminal: commands run, messages come back, and
// each frame is checked.
type stage struct {
	t    *testing.T
	a    *app
	msgs chan tea.Msg
	quit bool
}

func newStage(t *testing.T, p explore.Picker, w, h int) *stage {
	s := &stage{t: t, a: newApp(t.Context(), p, Options{SaveTo: t.TempDir()}), msgs: make(chan tea.Msg)}
	t.Cleanup(s.a.close)
	s.run(s.a.Init())
	s.send(tea.WindowSizeMsg{Width: w, Height: h})
	return s
}

// open is a stage that shows the list of a test server's maildrop.
func open(t *testing.T, srv *pop3test.Server, w, h int) *stage {
	t.Helper()
	a := account(srv.AddrTLS, srv.Roots)
	s := newStage(t, explore.Picker{Start: &a}, w, h)
	s.until("message", "HELD")
	return s
}

func (s *stage) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for _, c := range batch {
				s.run(c)
			}
			return
		}
		select {
		case s.msgs <- msg:
		case <-s.a.ctx.Done():
		}
	}()
}

func (s *stage) send(msg tea.Msg) {
	if _, ok := msg.(tea.QuitMsg); ok {
		s.quit = true
		return
	}
	_, cmd := s.a.Update(msg)
	s.run(cmd)
	s.check()
}

// keys presses keys by name; a name of more than one letter that bubbletea does
// not know is typed.
func (s *stage) keys(names ...string) {
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace, "tab": tea.KeyTab,
	}
	for _, n := range names {
		switch code, ok := named[n]; {
		case n == "space":
			s.send(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
		case n == "ctrl+c":
			s.send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
		case n == "ctrl+u":
			s.send(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl})
		case ok:
			s.send(tea.KeyPressMsg{Code: code})
		default:
			for _, r := range n {
				s.send(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
		}
	}
}

// text is the frame without colours.
func (s *stage) text() string { return ansi.Strip(s.a.frame()) }

func (s *stage) shows(all ...string) bool {
	frame := s.text()
	for _, want := range all {
		if !strings.Contains(frame, want) {
			return false
		}
	}
	return true
}

// letGoTold is on the screen when keys work again after a "l": the maildrop is let go
// before that.
const letGoTold = "let go: nothing was deleted"

// until lets the app work until all of this is on the screen.
func (s *stage) until(all ...string) {
	s.t.Helper()
	s.when(fmt.Sprintf("the screen shows %q", all), func() bool { return s.shows(all...) })
}

// when lets the app work until this holds.
func (s *stage) when(what string, holds func() bool) {
	s.t.Helper()
	limit := time.After(patience)
	for !holds() {
		select {
		case msg := <-s.msgs:
			s.send(msg)
		case <-limit:
			s.t.Fatalf("%s: does not happen. The screen:\n%s", what, s.text())
		}
	}
}

var colour = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// check is what holds for every frame: it fills the window, and has no escapes
// but colours.
func (s *stage) check() {
	s.t.Helper()
	a := s.a
	frame := a.frame()
	lines := strings.Split(frame, "\n")
	if a.width > 0 && len(lines) != a.height {
		s.t.Errorf("a frame has %d lines, the window %d:\n%s", len(lines), a.height, ansi.Strip(frame))
	}
	for _, l := range lines {
		if w := a.theme.cells.StringWidth(l); w != a.width {
			s.t.Errorf("a line is %d cells wide, the window %d: %q", w, a.width, l)
		}
	}
	if bad := unfit(frame); bad != "" {
		s.t.Fatalf("a frame has %s in it:\n%q", bad, frame)
	}
}

// unfit finds what must not reach a terminal.
func unfit(frame string) string {
	for _, r := range colour.ReplaceAllString(frame, "") {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}

func put(t *testing.T, srv *pop3test.Server, messages ...string) []pop3.UniqueID {
	t.Helper()
	var ids []pop3.UniqueID
	for _, m := range messages {
		id, err := srv.Put(pop3test.User, m)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// left is what a maildrop has.
func remaining(t *testing.T, srv *pop3test.Server) []pop3.UniqueID {
	t.Helper()
	all, err := srv.Messages(pop3test.User)
	if err != nil {
		t.Fatal(err)
	}
	var ids []pop3.UniqueID
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

func plainMail(subject string) string {
	return "From: Ada <ada@example.org>\r\nTo: you@example.org\r\nDate: Tue, 3 Mar 2026 10:20:30 +0000\r\nSubject: " + subject + "\r\n\r\nThe text of " + subject + ".\r\n"
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
