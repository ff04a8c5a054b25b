package main

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/certificates"
	"postfach/internal/config"
	"postfach/internal/datafolder"
)

func TestSIGTERMDeletesNothing(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	c := p.dialTLS(data)
	c.login("postfach", firstPassword(t, data))
	for _, command := range []string{"DELE 1", "DELE 2"} {
		if got := c.say(command); !strings.HasPrefix(got, "+OK") {
			t.Fatal(got)
		}
	}
	p.end()
	mail, err := os.ReadDir(filepath.Join(data, "mail", "postfach", "new"))
	must(t, err)
	if len(mail) != 3 {
		t.Errorf("%d messages are left", len(mail))
	}
}

// hup sends SIGHUP and returns what was logged until it was done.
func (p *program) hup() string {
	p.t.Helper()
	before := p.stderr.count()
	p.signal(syscall.SIGHUP)
	p.stderr.waitAfter(p.t, before, "msg=reloaded", `msg="reload incomplete"`)
	p.stderr.mu.Lock()
	defer p.stderr.mu.Unlock()
	return strings.Join(p.stderr.text[before:], "\n")
}

func TestSIGHUPReloads(t *testing.T) {
	data := begunData(t)
	name := filepath.Join(tempDir(t), "postfachd.toml")
	configure := func(text string) {
		t.Helper()
		must(t, os.WriteFile(name, []byte(text), 0o644))
	}
	greeting := func(p *program) string {
		t.Helper()
		return p.dial().line()
	}
	configure("greeting = \"first\"\n")
	p := serveIn(t, data, "--config", name)
	old := p.dialTLS(data)
	old.login("postfach", firstPassword(t, data))
	old.say("DELE 1")
	if got := greeting(p); got != "+OK first" {
		t.Errorf("greeting %q", got)
	}

	configure("greeting = \"second\"\nlast = true\n")
	p.hup()
	if got := greeting(p); got != "+OK second" {
		t.Errorf("greeting after SIGHUP %q", got)
	}

	configure("greeting = \"third\"\nlst = true\n")
	if log := p.hup(); !strings.Contains(log, name+":2: unknown key lst") || !strings.Contains(log, "did you mean last?") {
		t.Errorf("bad configuration:\n%s", log)
	}
	if got := greeting(p); got != "+OK second" {
		t.Errorf("greeting with a bad configuration %q", got)
	}

	configure("greeting = \"fourth\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n[[listener]]\naddress = \"127.0.0.2:0\"\n[[listener]]\naddress = \"127.0.0.3:0\"\ntls = \"none\"\n")
	if log := p.hup(); strings.Contains(log, "listeners have changed") {
		t.Errorf("the command line goes before:\n%s", log)
	}
	if got := greeting(p); got != "+OK fourth" {
		t.Errorf("greeting %q", got)
	}

	// The session from before all this goes on as it began.
	if got := old.say("NOOP"); !strings.HasPrefix(got, "+OK") {
		t.Errorf("NOOP in the old session: %s", got)
	}
	if got := old.say("LAST"); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("LAST in the old session: %s", got)
	}
	if got := old.say("QUIT"); !strings.HasPrefix(got, "+OK") {
		t.Errorf("QUIT in the old session: %s", got)
	}
	mail, err := os.ReadDir(filepath.Join(data, "mail", "postfach", "new"))
	must(t, err)
	if len(mail) != 2 {
		t.Errorf("%d messages after DELE and QUIT", len(mail))
	}
	p.end()
}

func TestChangedListenersNeedARestart(t *testing.T) {
	data := begunData(t)
	name := filepath.Join(tempDir(t), "postfachd.toml")
	must(t, os.WriteFile(name, []byte("[[listener]]\naddress = \"127.0.0.1:0\"\n"), 0o644))
	p := launch(t, "--data", data, "--config", name)
	p.address("pop3")
	must(t, os.WriteFile(name, []byte("greeting = \"new\"\n[[listener]]\naddress = \"127.0.0.2:0\"\n"), 0o644))
	if log := p.hup(); !strings.Contains(log, "listeners have changed") || !strings.Contains(log, "restart") {
		t.Errorf("log:\n%s", log)
	}
	if got := p.dial().line(); got != "+OK new" {
		t.Errorf("greeting %q", got)
	}
	p.end()
}

func TestSIGHUPReadsTheCertificate(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	folder := datafolder.Folder(data)
	before := pool(t, data)
	good, err := os.ReadFile(folder.Certificate())
	must(t, err)

	must(t, os.WriteFile(folder.Certificate(), []byte("nonsense"), 0o600))
	if log := p.hup(); !strings.Contains(log, "certificate not reloaded") || !strings.Contains(log, "hint=") ||
		!strings.Contains(log, `msg="reload incomplete"`) || strings.Contains(log, "msg=reloaded") {
		t.Errorf("bad certificate:\n%s", log)
	}
	conn, err := tls.Dial("tcp", p.address("pop3s"), &tls.Config{RootCAs: before, ServerName: "localhost"})
	must(t, err)
	conn.Close()

	cert, key, err := certificates.SelfSigned("other.example", time.Now())
	must(t, err)
	if string(cert) == string(good) {
		t.Fatal("the same certificate twice")
	}
	must(t, os.WriteFile(folder.Certificate(), cert, 0o600))
	must(t, os.WriteFile(folder.Key(), key, 0o600))
	p.hup()
	c := p.dialTLS(data)
	if got := c.line(); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	if conn, err := tls.Dial("tcp", p.address("pop3s"), &tls.Config{RootCAs: before, ServerName: "localhost"}); err == nil {
		conn.Close()
		t.Error("the old certificate is still served")
	}
	p.end()
}

func TestSIGHUPTellsAboutBadAccounts(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	password := firstPassword(t, data)
	must(t, os.WriteFile(filepath.Join(data, "accounts"), []byte("nonsense\n"), 0o600))
	if log := p.hup(); !strings.Contains(log, "accounts not reloaded") || !strings.Contains(log, "accounts:1: expected user:{SCHEME}secret") {
		t.Errorf("log:\n%s", log)
	}
	p.dialTLS(data).login("postfach", password)
	p.end()
}

func TestProtocolLogHasNoPassword(t *testing.T) {
	data := newData(t)
	name := filepath.Join(newLogDir(t), "log")
	p := serveIn(t, data, "--protocol-log", name)
	password := firstPassword(t, data)
	c := p.dialTLS(data)
	c.login("postfach", password)
	c.say("QUIT")
	p.end()
	octets, err := os.ReadFile(name)
	must(t, err)
	if log := string(octets); strings.Contains(log, password) || !strings.Contains(log, "C: USER postfach") || !strings.Contains(log, "C: QUIT") {
		t.Errorf("the log:\n%s", log)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if strings.Contains(p.stderr.String(), password) {
		t.Error("the password is logged")
	}
}

// Who records a conversation to find a mistake is told that some of it is missing.
func TestProtocolLogThatIsNotWholeIsToldOf(t *testing.T) {
	data := newData(t)
	serveIn(t, data).end()
	name := filepath.Join(newLogDir(t), "log")
	exe, err := os.Executable()
	must(t, err)
	// No file may become longer than 1 KiB, as on a full disk.
	p := started(t, exec.Command("sh", "-c", `ulimit -f 2 && exec "$0" "$@"`, exe, "--data", data, "--protocol-log", name, "--pop3", "127.0.0.1:0", "--pop3s", ""))
	c := p.dial()
	c.line()
	for range 100 {
		c.say("CAPA")
		for c.line() != "." {
		}
	}
	p.end()
	if line := p.stderr.wait(t, "the protocol log is not whole"); !strings.Contains(line, "level=ERROR") {
		t.Error(line)
	}
}

// newLogDir is a folder in which whom root becomes may write.
func newLogDir(t *testing.T) string {
	t.Helper()
	dir := tempDir(t)
	must(t, os.Chmod(dir, 0o777))
	return dir
}

func TestProtocolLogIsARegularFileClosedToOthers(t *testing.T) {
	dir := newLogDir(t)
	free := []string{"--pop3", "127.0.0.1:0", "--pop3s", "", "--data", newData(t), "--protocol-log"}
	victim := filepath.Join(dir, "victim")
	must(t, os.WriteFile(victim, []byte("x"), 0o600))
	must(t, os.Chmod(victim, 0o666))
	link, fifo := filepath.Join(dir, "link"), filepath.Join(dir, "fifo")
	must(t, os.Symlink(victim, link))
	must(t, syscall.Mkfifo(fifo, 0o600))
	for _, name := range []string{link, fifo, dir} {
		refused(t, "not a regular file", "must be a regular file", append(free, name)...)
	}
	refused(t, "is open to others", "chmod 600 "+victim, append(free, victim)...)
	if got, err := os.ReadFile(victim); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestOnlyOpenListenersAreKept(t *testing.T) {
	spec := config.Listener{Address: "127.0.0.1:0", TLS: config.STLS}
	s := &socket{spec: spec}
	d := &daemon{sockets: []*socket{s}, log: quiet()}
	d.keepListeners(&config.Config{Listeners: []config.Listener{{Address: "127.0.0.1:0", TLS: config.STLS, AllowCleartext: true}}})
	if !s.spec.AllowCleartext {
		t.Error("allow_cleartext is not taken over")
	}
	d.keepListeners(&config.Config{Listeners: []config.Listener{{Address: "127.0.0.1:0", TLS: config.NoTLS}}})
	if s.spec.TLS != config.STLS {
		t.Error("a listener changed its TLS without a restart")
	}
}
