package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/peer"
)

// activated starts postfachd as systemd does, with sockets from descriptor 3 on.
func activated(t *testing.T, names string, sockets []*os.File, env []string, args ...string) *program {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	// Only the process itself knows its number before it is somebody else.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, exe}, args...)...)
	cmd.ExtraFiles = sockets
	cmd.Env = append(os.Environ(), fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "LISTEN_FDNAMES="+names)
	cmd.Env = append(cmd.Env, env...)
	return started(t, cmd)
}

// given is a socket that systemd has opened.
func given(t *testing.T) (file *os.File, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	file, err = l.(*net.TCPListener).File()
	must(t, err)
	must(t, l.Close())
	t.Cleanup(func() { file.Close() })
	return file, l.Addr().String()
}

func TestSocketsOfSystemd(t *testing.T) {
	a, atA := given(t)
	b, atB := given(t)
	c, atC := given(t)
	data := newData(t)
	p := activated(t, "pop3s:pop3:leftover", []*os.File{a, b, c}, nil, "--data", data, "--pop3", "127.0.0.1:110", "--pop3s", "127.0.0.1:995")
	if pop3, pop3s := p.address("pop3"), p.address("pop3s"); pop3 != atB || pop3s != atA {
		t.Errorf("listens on %s and %s", pop3, pop3s)
	}
	p.dialTLS(data).login("postfach", firstPassword(t, data))
	if got := p.dial().line(); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	if line := p.stderr.wait(t, "msg=listening protocol=pop3 "); !strings.Contains(line, "from=systemd") {
		t.Error(line)
	}
	if line := p.stderr.wait(t, "is not used"); !strings.Contains(line, "leftover: "+atC) || !strings.Contains(line, "hint=") {
		t.Error(line)
	}
	// The one that is left is the test's alone now: the server does not hold it.
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err == nil {
		sockets := 0
		for _, fd := range fds {
			if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", p.cmd.Process.Pid, fd.Name())); err == nil && strings.HasPrefix(to, "socket:") {
				sockets++
			}
		}
		if sockets > 4 { // two that listen, and two sessions
			t.Errorf("%d sockets are open", sockets)
		}
	}
	p.end()

	// The address is found, too, where systemd names the unit only; and what is
	// not there the server opens itself.
	p = activated(t, "postfachd.socket", []*os.File{a}, nil, "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", atA)
	if got := p.address("pop3s"); got != atA {
		t.Errorf("listens on %s", got)
	}
	if line := p.stderr.wait(t, "msg=listening protocol=pop3 "); !strings.Contains(line, "from=postfachd") {
		t.Error(line)
	}
	p.end()
}

// The port for ACME's challenges can be systemd's, too.
func TestChallengesArriveAtASocketOfSystemd(t *testing.T) {
	a, atA := given(t)
	name := filepath.Join(tempDir(t), "postfachd.toml")
	must(t, os.WriteFile(name, []byte(`
[[listener]]
address = "127.0.0.1:0"
[tls.acme]
hosts = ["mail.example.org"]
agree = true
directory = "https://127.0.0.1:1/directory"
`), 0o644))
	p := activated(t, "acme", []*os.File{a}, nil, "--data", begunData(t), "--config", name)
	if got := p.dial().line(); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	conn, err := net.Dial("tcp", atA)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	fmt.Fprint(conn, "GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: mail.example.org\r\n\r\n")
	answer := make([]byte, 8)
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1" {
		t.Errorf("%q, %v", answer, err)
	}
	p.end()
	if strings.Contains(p.stderr.String(), "is not used") {
		t.Error("the socket was refused")
	}
}

// Clients that connect while the server restarts wait, and are not refused.
func TestSocketsOutliveTheServer(t *testing.T) {
	a, atA := given(t)
	data := newData(t)
	start := func() *program {
		return activated(t, "pop3", []*os.File{a}, nil, "--data", data, "--pop3s", "")
	}
	p := start()
	p.dial().line()
	p.end()
	conn, err := net.Dial("tcp", atA)
	must(t, err)
	p = start()
	if got := newClient(t, conn).line(); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	p.end()
}

// The same by systemd's own program, which starts the server at the first
// connection.
func TestSystemdActivatesTheServer(t *testing.T) {
	activate := peer.Need(t, "systemd-socket-activate")
	exe, err := os.Executable()
	must(t, err)
	file, address := given(t) // a port that was free just now
	must(t, file.Close())
	data := newData(t)
	p := started(t, exec.Command(activate, "--listen="+address, "--fdname=pop3s", "-E", actAsProgram+"=1", "-E", "PATH="+os.Getenv("PATH"),
		exe, "--data", data, "--pop3", "", "--pop3s", "127.0.0.1:995"))
	p.stderr.wait(t, "Listening on ")
	conn, err := net.Dial("tcp", address)
	must(t, err)
	if line := p.stderr.wait(t, "msg=listening protocol=pop3s"); !strings.Contains(line, "from=systemd") || !strings.Contains(line, address) {
		t.Error(line)
	}
	c := newClient(t, tls.Client(conn, &tls.Config{RootCAs: pool(t, data), ServerName: "localhost"}))
	c.login("postfach", firstPassword(t, data))
	p.end()
}

// manager is the socket at which systemd listens.
func manager(t *testing.T) (conn *net.UnixConn, env string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // short: the path has to fit into a socket's name
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	name := filepath.Join(dir, "s")
	conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	return conn, "NOTIFY_SOCKET=" + name
}

func hears(t *testing.T, conn *net.UnixConn, want string) string {
	t.Helper()
	buffer := make([]byte, 4096)
	n, err := conn.Read(buffer)
	must(t, err)
	if got := string(buffer[:n]); !strings.HasPrefix(got, want) {
		t.Errorf("systemd hears %q, want %q", got, want)
	}
	return string(buffer[:n])
}

func TestSystemdHearsHowItIs(t *testing.T) {
	conn, env := manager(t)
	data := newData(t)
	p := activated(t, "", nil, []string{env}, "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0")
	if got := hears(t, conn, "READY=1\n"); !strings.Contains(got, "STATUS=listening: pop3 "+p.address("pop3")) {
		t.Errorf("systemd hears %q", got)
	}
	if got := p.dial().line(); !strings.HasPrefix(got, "+OK") { // it is ready indeed
		t.Error(got)
	}
	p.signal(syscall.SIGHUP)
	hears(t, conn, "RELOADING=1\nMONOTONIC_USEC=")
	hears(t, conn, "READY=1\n")
	p.signal(syscall.SIGTERM)
	hears(t, conn, "STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000\n") // shutdown_grace, and ten seconds
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestWatchdogHearsAPulse(t *testing.T) {
	conn, env := manager(t)
	p := activated(t, "", nil, []string{env, "WATCHDOG_USEC=300000"}, "--data", newData(t), "--pop3", "127.0.0.1:0", "--pop3s", "")
	hears(t, conn, "READY=1\n")
	for range 3 {
		hears(t, conn, "WATCHDOG=1")
	}
	p.end()
}

// journaled starts postfachd with a log that it takes for the journal.
func journaled(t *testing.T, args ...string) (p *program, log *lines) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { r.Close() })
	info, err := w.Stat()
	must(t, err)
	stat := info.Sys().(*syscall.Stat_t)
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe, args...)
	cmd.Stderr = w
	cmd.Env = append(os.Environ(), fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino))
	p = started(t, cmd)
	must(t, w.Close())
	return p, newLines(r)
}

// What goes to the journal has the priority that it takes off again.
func TestJournalHasPriorities(t *testing.T) {
	p, log := journaled(t, "--data", newData(t), "--pop3", "127.0.0.1:0", "--pop3s", "")
	if line := log.wait(t, "msg=confinement"); !strings.HasPrefix(line, "<6>time=") {
		t.Error(line)
	}
	p.end()
	<-log.over
	for line := range strings.Lines(log.String()) {
		if line[0] != '<' {
			t.Errorf("without a priority: %s", line)
		}
	}

	p, log = journaled(t, "--data", newData(t), "--pop3", "192.0.2.1:1", "--pop3s", "")
	if p.wait() == 0 {
		t.Error("it listens on an address that is not here")
	}
	for _, begin := range []string{"postfachd: listen on", "hint: "} {
		if line := log.wait(t, begin); !strings.HasPrefix(line, "<3>"+begin) {
			t.Error(line)
		}
	}
}

func TestPrioritiesFollowLevels(t *testing.T) {
	var b strings.Builder
	log := newLog(&b, true).With("session", "x")
	log.Info("i")
	log.Warn("w")
	log.WithGroup("g").Error("e", "a", 1)
	log.Debug("d")
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%q", lines)
	}
	for i, want := range []string{"<6>", "<4>", "<3>"} {
		if !strings.HasPrefix(lines[i], want+"time=") || !strings.Contains(lines[i], "session=x") {
			t.Errorf("%q, want %s", lines[i], want)
		}
	}
	if isJournal(&b) {
		t.Error("a text is no journal")
	}
}
