package tui

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/explore"
	"postfach/internal/peer"
	"postfach/pop3test"
)

// The test binary is the program that runs in the terminal: these say to whom it
// talks.
const (
	childEnv  = "POSTFACH_TUI_SERVER" // the address
	rootsEnv  = "POSTFACH_TUI_ROOTS"  // a file
	saveEnv   = "POSTFACH_TUI_SAVE"   // a folder
	idleEnv   = "POSTFACH_TUI_IDLE"   // a duration
	panicsEnv = "POSTFACH_TUI_PANICS"
)

func child() int {
	pem, err := os.ReadFile(os.Getenv(rootsEnv))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	a := account(os.Getenv(childEnv), roots)
	p := explore.Picker{Accounts: []explore.Account{a}}
	p.Options.Idle, _ = time.ParseDuration(os.Getenv(idleEnv))
	if os.Getenv(panicsEnv) != "" {
		p.Parse = func(string) (explore.Account, error) { panic("as the test wants it") }
	}
	if err := Run(context.Background(), p, Options{SaveTo: os.Getenv(saveEnv)}); err != nil {
		fmt.Println("ended with", err)
		return 1
	}
	fmt.Println("left in order")
	return 0
}

// A terminal is a real screen: a window of tmux, in which the face runs.
type terminal struct {
	t      *testing.T
	tmux   string
	folder string // of the socket
	raw    string // the file that all output goes to
	saved  string // the folder that is saved to
}

// startTerminal runs the face in a window of this size.
func startTerminal(t *testing.T, srv *pop3test.Server, w, h int, env ...string) *terminal {
	t.Helper()
	program := peer.Need(t, "tmux")
	folder, err := os.MkdirTemp("", "tui") // short: it names a socket
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	roots := filepath.Join(folder, "roots.pem")
	conf := filepath.Join(folder, "tmux.conf")
	for path, text := range map[string]string{
		roots: string(srv.RootPEM()),
		conf:  "set -g status off\nset -s escape-time 0\nset -g default-terminal screen-256color\nset -g remain-on-exit on\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	term := &terminal{t: t, tmux: program, folder: folder, raw: filepath.Join(folder, "raw"), saved: t.TempDir()}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen at the end:\n%s", term.screen())
		}
		term.try("kill-server")
		os.RemoveAll(folder)
	})
	args := []string{"-f", conf, "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), "-s", "s"}
	for _, e := range append([]string{
		"TZ=UTC", "LANG=C.UTF-8", "COLORTERM=", "NO_COLOR=",
		childEnv + "=" + srv.AddrTLS, rootsEnv + "=" + roots, saveEnv + "=" + term.saved,
	}, env...) {
		args = append(args, "-e", e)
	}
	// It waits for a line, so that the pipe sees all that it writes.
	term.do(append(args, "sh", "-c", `read go; exec "$0" -test.run=^$`, self)...)
	term.do("pipe-pane", "-t", "s", "cat > "+term.raw)
	term.press("Enter")
	term.until("Whose mailbox")
	return term
}

func (x *terminal) command(args ...string) *exec.Cmd {
	cmd := exec.Command(x.tmux, append([]string{"-S", filepath.Join(x.folder, "s"), "-u"}, args...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "TMUX") }), "LANG=C.UTF-8")
	return cmd
}

func (x *terminal) try(args ...string) { x.command(args...).Run() }

func (x *terminal) do(args ...string) string {
	x.t.Helper()
	out, err := x.command(args...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// press presses keys by tmux's names; type types.
func (x *terminal) press(keys ...string) {
	x.t.Helper()
	x.do(append([]string{"send-keys", "-t", "s"}, keys...)...)
}

func (x *terminal) typed(text string) {
	x.t.Helper()
	x.do("send-keys", "-t", "s", "-l", text)
}

func (x *terminal) screen() string {
	out, _ := x.command("capture-pane", "-p", "-t", "s").Output()
	return string(out)
}

// until waits until all of this is on the screen.
func (x *terminal) until(all ...string) string {
	x.t.Helper()
	limit := time.After(patience)
	for {
		screen := x.screen()
		missing := slices.DeleteFunc(slices.Clone(all), func(want string) bool { return strings.Contains(screen, want) })
		if len(missing) == 0 {
			return screen
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-limit:
			x.t.Fatalf("the screen does not show %q:\n%s", missing, screen)
		}
	}
}

// output is all that was written to the terminal up to this text, and some more.
func (x *terminal) output(until string) string {
	x.t.Helper()
	limit := time.After(patience)
	for {
		b, _ := os.ReadFile(x.raw)
		if strings.Contains(string(b), until) {
			return string(b)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-limit:
			x.t.Fatalf("the terminal did not get %q", until)
		}
	}
}

func sizes() [][2]int { return [][2]int{{40, 12}, {160, 50}} }

// onEach runs a test on a small and on a large screen.
func onEach(t *testing.T, run func(t *testing.T, w, h int)) {
	for _, size := range sizes() {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			t.Parallel()
			run(t, size[0], size[1])
		})
	}
}

// A person who knows no POP3: connect, look, save, change their mind, delete just
// one, see what happened.
func TestTerminalSession(t *testing.T) {
	onEach(t, func(t *testing.T, w, h int) {
		srv := pop3test.NewServer(t)
		ids := put(t, srv, plainMail("first"), withAttachment, plainMail("third"), hostileHTML)
		x := startTerminal(t, srv, w, h)
		x.press("Enter")
		x.until("HELD", "first", "the report", "third", "? help")

		x.press("Home", "Down", "Enter")
		x.until("See below.", "report.bin")
		x.press("t")
		x.until("octet-stream")
		x.press("End", "w")
		x.until("save as")
		x.press("Enter")
		x.until("saved report.bin")
		if got := mustRead(t, filepath.Join(x.saved, "report.bin")); got != "\x00\x01\x02\x03" {
			t.Errorf("the attachment holds %q", got)
		}
		x.press("Escape")
		x.until("See below.")
		x.press("Escape")
		x.until("#↑", "third")

		x.press("End", "Enter")
		x.until("Click here")
		if screen := x.screen(); strings.Contains(screen, "alert(") || strings.Contains(screen, "<p>") {
			t.Errorf("HTML is not text:\n%s", screen)
		}
		x.press("Escape")
		x.until("#↑")

		x.press("Home", "d")
		x.until("1 marked")
		x.press("Home", "u")
		x.press("Home", "Down", "Down", "Space")
		x.until("1 marked")
		x.press("D")
		x.until("third", "delete 1 message")
		x.typed("yes")
		x.press("Enter")
		x.until("Deleted", "third")
		if got := remaining(t, srv); len(got) != 3 || slices.Contains(got, ids[2]) {
			t.Errorf("the maildrop has %q, only %q should be gone", got, ids[2])
		}
		x.press("P")
		x.until("now deletes message 3")
		x.press("Escape")
		x.until("what was deleted")
		x.press("Escape")
		x.until("AWAY", "#↑")
		x.press("q")
		x.until("left in order")
	})
}

const hostileHTML = "From: Mallory <m@example.org>\r\nSubject: click\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
	"<html><head><script>alert(1)</script><style>p{}</style></head><body><p>Click here</p><img src=\"https://tracker.example/pixel.png\" alt=\"a cat\"></body></html>\r\n"

// nested is a message in a message in a message, n times.
func nested(n int) string {
	var b strings.Builder
	b.WriteString("From: deep@example.org\r\nSubject: nested\r\nMIME-Version: 1.0\r\n")
	for i := range n {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("Content-Type: text/plain\r\n\r\nthe innermost text\r\n")
	for i := n - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "--b%d--\r\n", i)
	}
	return b.String()
}

func TestTerminalNestedParts(t *testing.T) {
	onEach(t, func(t *testing.T, w, h int) {
		srv := pop3test.NewServer(t)
		put(t, srv, nested(120))
		x := startTerminal(t, srv, w, h)
		x.press("Enter")
		x.until("HELD", "nested")
		x.press("Enter")
		x.until("the innermost text")
		x.press("t")
		x.until("121 parts")
		x.press("End")
		x.until("120› text/plain")
	})
}

// The message that no mail program gets past is found and deleted, and only that.
func TestTerminalBlockingMessage(t *testing.T) {
	onEach(t, func(t *testing.T, w, h int) {
		srv := pop3test.NewServer(t)
		ids := put(t, srv, plainMail("first"), plainMail("blocks"), plainMail("third"))
		misbehave(t, srv, blocksAt2()...)
		x := startTerminal(t, srv, w, h)
		x.press("Enter")
		x.until("cannot be looked at", "third") // it comes back by itself
		x.press("n", "Home", "Down", "Space")
		x.until("2 D ")
		x.press("D")
		x.until("delete 1 message")
		x.typed("yes")
		x.press("Enter")
		x.until("Deleted")
		if got := remaining(t, srv); len(got) != 2 || slices.Contains(got, ids[1]) {
			t.Errorf("the maildrop has %q, only %q should be gone", got, ids[1])
		}
	})
}

func TestTerminalLostConnectionKeepsMarks(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second "+strings.Repeat("x", 300)))
	misbehave(t, srv, `{"on":"RETR","times":1,"drop-after":80}`)
	x := startTerminal(t, srv, 100, 30)
	x.press("Enter")
	x.until("HELD", "second")
	x.press("Home", "d")
	x.until("1 marked D")
	x.press("Enter")
	x.until("! message 2", "1 marked D")
	x.press("n", "r")
	x.until("HELD", "1 marked D")
	if got := remaining(t, srv); len(got) != 2 {
		t.Errorf("a lost connection deleted something: %q", got)
	}
}

// One message of each character set that the corpus has is read on the screen.
func TestTerminalCharsets(t *testing.T) {
	one := oneOfEachCharset(t)
	if len(one) == 0 {
		return
	}
	srv := pop3test.NewServer(t)
	names := slices.Sorted(maps.Keys(one))
	for _, name := range names {
		put(t, srv, mustRead(t, one[name]))
	}
	x := startTerminal(t, srv, 160, 50)
	x.press("Enter")
	x.until("HELD")
	x.press("Home", "Enter")
	for i, name := range names {
		screen := x.until(fmt.Sprintf("· message %d", i+1), "Subject: ")
		if strings.ContainsRune(screen, '\uFFFD') {
			t.Errorf("%s (%s): characters are lost:\n%s", name, filepath.Base(one[name]), screen)
		}
		x.press("Right")
	}
}

// Hostile mail cannot send escapes: not to the screen, and not in the octets that
// the terminal gets.
func TestTerminalGetsNoEscapes(t *testing.T) {
	srv := pop3test.NewServer(t)
	const evil = "\x1b]0;PWNED\x07\x1b[2J\x1b[31mred\u009b5m\u202egnp.exe\x1bP1$r\x1b\\"
	put(t, srv, "From: "+evil+" <a@example.org>\r\nSubject: sub"+evil+"\r\nX-Evil: "+evil+"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nbody "+evil+" end of body\r\n")
	x := startTerminal(t, srv, 120, 40)
	x.press("Enter")
	x.until("HELD", "sub")
	x.press("p", "Enter")
	x.until("end of body")
	x.press("h", "S")
	x.until("X-Evil")
	x.press("Escape")
	out := x.output("X-Evil")
	if !strings.Contains(out, "PWNED") {
		t.Fatal("the message was not shown at all")
	}
	for _, bad := range []string{"\x1b]0;PWNED", "\x1b[2J\x1b[31mred", "\u009b", "\u202e", "\x1bP1$r"} {
		if strings.Contains(out, bad) {
			t.Errorf("the terminal got %q", bad)
		}
	}
	if title := x.do("display-message", "-p", "-t", "s", "#{pane_title}"); strings.Contains(title, "PWNED") {
		t.Errorf("the title is %q", title)
	}
}

// NO_COLOR: no colours; marks and states are still told.
func TestTerminalWithoutColours(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	x := startTerminal(t, srv, 80, 24, "NO_COLOR=1")
	x.press("Enter")
	x.until("HELD", "first")
	x.press("d")
	x.until("1 D ", "1 marked D")
	for _, sgr := range colour.FindAllString(x.output("1 marked"), -1) {
		for _, p := range strings.Split(strings.Trim(sgr, "\x1b[m"), ";") {
			if len(p) == 2 && (p[0] == '3' || p[0] == '4' || p[0] == '9') && p[1] != '9' || len(p) == 3 && strings.HasPrefix(p, "10") {
				t.Fatalf("a colour in spite of NO_COLOR: %q", sgr)
			}
		}
	}
}

func TestTerminalIdleReleaseAndReturn(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	x := startTerminal(t, srv, 100, 30, idleEnv+"=1s")
	x.press("Enter")
	x.until("HELD", "first")
	x.press("d")
	x.until("1 marked D")
	x.until("AWAY", "! let go")
	x.press("n", "r")
	x.until("HELD", "1 marked D")
}

// Ctrl-C asks where there are marks; the second one leaves, and says what that
// means.
func TestTerminalSecondInterruptLeaves(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	x := startTerminal(t, srv, 40, 12)
	x.press("Enter")
	x.until("HELD", "first")
	x.press("d")
	x.until("1 D ")
	x.press("C-c")
	x.until("nothing is deleted", "forgotten", "stay")
	x.press("C-c")
	x.until("1 mark forgotten", "left in order")
}

// The terminal is as before after SIGINT.
func TestTerminalIsRestoredAfterInterrupt(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	x := startTerminal(t, srv, 80, 24)
	x.press("Enter")
	x.until("HELD", "first")
	x.press("d")
	x.until("1 marked D")
	pid := strings.TrimSpace(x.do("display-message", "-p", "-t", "s", "#{pane_pid}"))
	if out, err := exec.Command("kill", "-INT", pid).CombinedOutput(); err != nil {
		t.Fatalf("kill: %v\n%s", err, out)
	}
	x.until("1 mark forgotten; leaving deleted nothing", "left in order")
	x.restored("left in order")
	if got := remaining(t, srv); len(got) != 1 {
		t.Errorf("the maildrop has %q", got)
	}
}

// And after a panic.
func TestTerminalIsRestoredAfterPanic(t *testing.T) {
	srv := pop3test.NewServer(t)
	x := startTerminal(t, srv, 80, 24, panicsEnv+"=1")
	x.press("Down", "Enter")
	x.until("account (")
	x.press("x", "Enter")
	x.until("ended with")
	x.restored("ended with")
}

// restored: the last thing that was said of each mode is that it ended.
func (x *terminal) restored(end string) {
	x.t.Helper()
	out := x.output(end)
	for _, mode := range []struct{ on, off, what string }{
		{"\x1b[?1049h", "\x1b[?1049l", "the alternate screen"},
		{"\x1b[?25l", "\x1b[?25h", "the hidden cursor"},
		{"\x1b[?2004h", "\x1b[?2004l", "bracketed paste"},
	} {
		if strings.LastIndex(out, mode.on) > strings.LastIndex(out, mode.off) {
			x.t.Errorf("%s was not ended", mode.what)
		}
	}
}
