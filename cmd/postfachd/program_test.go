package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postfach/internal/config"
	"postfach/internal/datafolder"
)

// actAsProgram makes the test binary postfachd itself.
const actAsProgram = "POSTFACHD_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(actAsProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for an event. None should take that long.
const patience = 30 * time.Second

// A program is a postfachd that runs in a process of its own.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *lines
	stderr *lines
	exited chan error

	secrets  secrets // what clients have said
	mayPanic bool    // a test has asked for it
}

// launch starts postfachd. The test's end kills what still runs.
func launch(t *testing.T, args ...string) *program {
	t.Helper()
	return launchWith(t, nil, args...)
}

// launchWith is launch with another file for the log than the test's own.
func launchWith(t *testing.T, log *os.File, args ...string) *program {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe, args...)
	if log != nil {
		cmd.Stderr = log
	}
	return started(t, cmd)
}

// started starts a command that is postfachd in the end. Its log is the test's
// own, unless it has one already.
func started(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd, exited: make(chan error, 1)}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, actAsProgram+"=1", "GORACE=atexit_sleep_ms=0")
	stdout, err := p.cmd.StdoutPipe()
	must(t, err)
	var stderr io.Reader = strings.NewReader("")
	if cmd.Stderr == nil {
		stderr, err = p.cmd.StderrPipe()
		must(t, err)
	}
	must(t, p.cmd.Start())
	p.stdout, p.stderr = newLines(stdout), newLines(stderr)
	over := make(chan struct{})
	go func() {
		<-p.stdout.over // Wait closes the pipes: all must have been read
		<-p.stderr.over
		p.exited <- p.cmd.Wait()
		close(over)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-over
		p.checkLog()
		if t.Failed() {
			t.Logf("stdout:\n%s\nstderr:\n%s", p.stdout, p.stderr)
		}
	})
	return p
}

// serve starts postfachd on free ports and waits until it accepts.
func serveIn(t *testing.T, data string, args ...string) *program {
	t.Helper()
	p := launch(t, append([]string{"--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0"}, args...)...)
	p.stdout.wait(t, "listening pop3s ")
	return p
}

// address is where the program said it listens.
func (p *program) address(protocol string) string {
	p.t.Helper()
	line := p.stdout.wait(p.t, "listening "+protocol+" ")
	return strings.TrimPrefix(line, "listening "+protocol+" ")
}

func (p *program) signal(sig os.Signal) {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(sig))
}

// wait returns the exit code.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatal("the program does not end")
		return 0
	}
}

// end ends the program as an operator does.
func (p *program) end() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		p.t.Errorf("exit code %d after SIGTERM", code)
	}
}

// lines are what a program has printed.
type lines struct {
	over chan struct{}
	mu   sync.Mutex // guards what follows
	text []string
	news chan struct{} // closed at the next line
}

func newLines(r io.Reader) *lines {
	l := &lines{over: make(chan struct{}), news: make(chan struct{})}
	go func() {
		defer close(l.over)
		for r := bufio.NewReader(r); ; {
			line, err := r.ReadString('\n')
			if line != "" {
				l.add(strings.TrimSuffix(line, "\n"))
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line)
	close(l.news)
	l.news = make(chan struct{})
}

// wait returns the first line with part in it.
func (l *lines) wait(t *testing.T, part string) string {
	t.Helper()
	return l.waitAfter(t, 0, part)
}

// waitAfter is wait among the lines after the first n.
func (l *lines) waitAfter(t *testing.T, n int, part string, or ...string) string {
	t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		for _, line := range l.text[min(n, len(l.text)):] {
			if slices.ContainsFunc(append(or, part), func(part string) bool { return strings.Contains(line, part) }) {
				l.mu.Unlock()
				return line
			}
		}
		news := l.news
		l.mu.Unlock()
		select {
		case <-news:
		case <-l.over:
			t.Fatalf("ended without %q", part)
		case <-timeout:
			t.Fatalf("no line with %q", part)
		}
	}
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.text, "\n")
}

// A client speaks POP3 by hand.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	said *secrets // in no log; nil: nobody looks
}

// dialTLS connects to pop3s and trusts the data folder's certificate only.
func (p *program) dialTLS(data string) *client {
	p.t.Helper()
	conn, err := tls.Dial("tcp", p.address("pop3s"), &tls.Config{RootCAs: pool(p.t, data), ServerName: "localhost"})
	must(p.t, err)
	return p.newClient(conn)
}

// dial connects to pop3, without TLS.
func (p *program) dial() *client {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.address("pop3"))
	must(p.t, err)
	return p.newClient(conn)
}

// newClient is a client whose secrets must not be in the program's log.
func (p *program) newClient(conn net.Conn) *client {
	c := newClient(p.t, conn)
	c.said = &p.secrets
	return c
}

func newClient(t *testing.T, conn net.Conn) *client {
	t.Cleanup(func() { conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

func pool(t *testing.T, data string) *x509.CertPool {
	t.Helper()
	octets, err := os.ReadFile(datafolder.Folder(data).Certificate())
	must(t, err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(octets) {
		t.Fatal("no certificate")
	}
	return roots
}

// line reads one line.
func (c *client) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	must(c.t, err)
	return strings.TrimRight(line, "\r\n")
}

// say sends a command and returns the answer's first line.
func (c *client) say(command string) string {
	c.t.Helper()
	c.said.note(command)
	_, err := fmt.Fprintf(c.conn, "%s\r\n", command)
	must(c.t, err)
	return c.line()
}

// login logs in, after the greeting.
func (c *client) login(user, password string) {
	c.t.Helper()
	c.line()
	c.say("USER " + user)
	if answer := c.say("PASS " + password); !strings.HasPrefix(answer, "+OK") {
		c.t.Fatalf("login as %s: %s", user, answer)
	}
}

// firstPassword reads what the first start left.
func firstPassword(t *testing.T, data string) string {
	t.Helper()
	octets, err := os.ReadFile(datafolder.Folder(data).FirstLogin())
	must(t, err)
	_, password, ok := strings.Cut(strings.TrimSpace(string(octets)), "password ")
	if !ok {
		t.Fatalf("no password in %q", octets)
	}
	return password
}

// tempDir is t.TempDir, open for the user that root becomes.
func tempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	return dir
}

func newData(t *testing.T) string {
	t.Helper()
	return filepath.Join(tempDir(t), "data")
}

// begunData is a data folder with the account of a first start in it, for servers with
// a configuration: they make none.
func begunData(t *testing.T) string {
	t.Helper()
	data := newData(t)
	begin(t, data)
	return data
}

func begin(t *testing.T, data string) {
	t.Helper()
	folder := datafolder.Folder(data)
	must(t, errors.Join(folder.Make(), folder.MakeParts()))
	first := &firstLogin{user: firstUser, password: newPassword(), host: "localhost"}
	must(t, first.make(config.Default(), folder))
	giveToOwner(t, data)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func trusting(t *testing.T, data string) *tls.Config {
	return &tls.Config{RootCAs: pool(t, data), ServerName: "localhost"}
}

// from is a dialer whose address is one of many on loopback.
func from(i int) *net.Dialer {
	return &net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%200))}}
}

func readAnswer(r *bufio.Reader, multiLine bool) (string, error) {
	var answer strings.Builder
	for {
		line, err := r.ReadString('\n')
		answer.WriteString(line)
		if err != nil || !multiLine || line == ".\r\n" {
			return answer.String(), err
		}
	}
}
