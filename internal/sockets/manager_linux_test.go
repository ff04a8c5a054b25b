package sockets

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

func manage(t *testing.T) *net.UnixConn {
	t.Helper()
	dir, err := os.MkdirTemp("", "manager") // short: the path has to fit into a socket's name
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	name := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	t.Setenv("NOTIFY_SOCKET", name)
	return conn
}

func TestManagerHearsHowItIs(t *testing.T) {
	conn := manage(t)
	t.Setenv("WATCHDOG_USEC", "30000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	m, err := FindManager()
	must(t, err)
	defer m.Close()
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		if _, set := os.LookupEnv(name); set {
			t.Errorf("%s is still set", name)
		}
	}
	if m.Pulse() != 10*time.Second {
		t.Errorf("pulse %v", m.Pulse())
	}
	for _, test := range []struct {
		tell func()
		want string
	}{
		{func() { m.Ready("listening: here") }, "^READY=1\nSTATUS=listening: here$"},
		{m.Reloading, "^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+\nSTATUS=reloading$"},
		{m.Alive, "^WATCHDOG=1$"},
		// systemd would kill it after TimeoutStopSec=, which knows nothing of the grace.
		{func() { m.Stopping(2 * time.Minute) }, "^STOPPING=1\nEXTEND_TIMEOUT_USEC=130000000\nSTATUS=ending$"},
	} {
		test.tell()
		got := make([]byte, 1000)
		n, err := conn.Read(got)
		if must(t, err); !regexp.MustCompile(test.want).Match(got[:n]) {
			t.Errorf("%q, want %s", got[:n], test.want)
		}
	}
}

func TestWithoutAManagerNothingIsTold(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m, err := FindManager()
	if m != nil || err != nil {
		t.Fatalf("%v, %v", m, err)
	}
	m.Ready("")
	m.Reloading()
	m.Stopping(0)
	m.Alive()
	if m.Pulse() != 0 || m.Close() != nil {
		t.Error("there is one")
	}
}

func TestManagerThatIsNotThereIsAnError(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	if m, err := FindManager(); err == nil || m != nil {
		t.Errorf("%v, %v", m, err)
	}
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "soon")
	if m, err := FindManager(); err == nil || m != nil {
		t.Errorf("%v, %v", m, err)
	}
}

// A manager that reads nothing keeps nobody waiting for long.
func TestManagerThatDoesNotReadBlocksNobody(t *testing.T) {
	manage(t)
	m, err := FindManager()
	must(t, err)
	defer m.Close()
	must(t, m.conn.SetWriteDeadline(time.Now().Add(10*time.Millisecond)))
	for err == nil {
		_, err = m.conn.Write([]byte("x"))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Alive()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Error("it waits")
	}
}
