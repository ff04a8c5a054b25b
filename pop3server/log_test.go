package pop3server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/pop3server"
)

// linesWith are the log's lines with a message.
func (l *logBuffer) linesWith(message string) []string {
	var found []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, fmt.Sprintf("msg=%q ", message)) || strings.Contains(line, "msg="+message+" ") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// mustLog wants a number of lines with a message, and in each of them some text.
func mustLog(t *testing.T, log *logBuffer, message string, times int, each ...string) {
	t.Helper()
	lines := log.linesWith(message)
	if len(lines) != times {
		t.Errorf("%d lines of %q, want %d:\n%s", len(lines), message, times, log)
	}
	for _, line := range lines {
		for _, want := range each {
			if !strings.Contains(line, want) {
				t.Errorf("%q is not in %s", want, line)
			}
		}
	}
}

// Promise 13: who waits behind a guesser stands in the log, and behind whom.
func TestWaitBehindFailuresIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		guesser := connectFrom(t, srv, "192.0.2.1")
		guesser.guess("u", 1)
		mustLog(t, log, "logins from this address wait", 0) // the answer took longer than the pause
		go guesser.try("u", "another")
		synctest.Wait()
		c := connectFrom(t, srv, "192.0.2.1")
		if right, took, err := c.try("v", "right"); !right || took != 4*time.Second || err != nil {
			t.Fatalf("%v after %v, %v", right, took, err)
		}
		c.talk("C: QUIT\nS: +OK ...\n(close)")
		<-c.done
		mustLog(t, log, "logins from this address wait", 1, "rip=192.0.2.1", "network=192.0.2.1/32", "failures=2", "pause=4s")
		mustLog(t, log, "login", 1, " waited=4s")
		mustLog(t, log, "session ended", 1, " waited=4s")
		if first := log.linesWith("login failed")[0]; strings.Contains(first, "waited") {
			t.Errorf("nobody was before %s", first)
		}
	})
}

// The line comes once a minute, however many wait.
func TestWaitIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		srv.Limits.Login = time.Minute
		var all sync.WaitGroup
		for i := range 30 {
			c := connectFrom(t, srv, "192.0.2.1")
			all.Go(func() { c.try("u", fmt.Sprint(i)) })
		}
		all.Wait()
		if n := len(log.linesWith("logins from this address wait")); n < 1 || n > 2 {
			t.Errorf("%d lines:\n%s", n, log)
		}
		if !strings.Contains(log.String(), `reason="login deadline, waiting behind failed logins"`) {
			t.Errorf("log:\n%s", log)
		}
	})
}

// P3-USR-08: a client that gives up for want of TLS has an owner who asks why.
func TestPasswordRefusedWithoutTLSIsLoggedOnce(t *testing.T) {
	srv, log := newTLSServer(newDrop())
	srv.AllowCleartext = false
	c := connectFrom(t, srv, "192.0.2.1")
	c.talk(`
		S: +OK POP3 server ready
		C: CAPA
		S: +OK ...
	`)
	for line := ""; line != ".\r\n"; {
		var err error
		if line, err = c.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	mustLog(t, log, "password refused without TLS", 0)
	c.talk(`
		C: USER anna
		S: -ERR TLS required, use STLS
		C: PASS secret
		S: -ERR TLS required, use STLS
		C: AUTH PLAIN
		S: -ERR TLS required, use STLS
		C: QUIT
		S: +OK ...
		(close)
	`)
	<-c.done
	mustLog(t, log, "password refused without TLS", 1, "level=INFO", "session=", "rip=192.0.2.1", "mechanism=USER")
	if strings.Contains(log.String(), "anna") || strings.Contains(log.String(), "secret") {
		t.Errorf("log:\n%s", log)
	}
}

// What the operator has to mend is called what it is.
func TestOperatorsTroubleHasItsOwnLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		srv.Auth = passwords{}
		c := connectFrom(t, srv, "192.0.2.1").greeted()
		c.talk("C: USER broken\nS: +OK ...\nC: PASS x\nS: -ERR [SYS/TEMP] internal error, try again later")
		mustLog(t, log, "accounts cannot be asked", 1, "level=ERROR", "rip=192.0.2.1", "mechanism=PASS", "name=broken", "err=")

		srv, _, log = guarded()
		srv.Store = &crammed{lacking: 100}
		c = connectFrom(t, srv, "192.0.2.1").greeted()
		c.talk("C: USER u\nS: +OK ...\nC: PASS right\nS: -ERR [SYS/TEMP] internal error, try again later")
		mustLog(t, log, "maildrop cannot be opened", 1, "level=ERROR", "rip=192.0.2.1", "user=u", `err="lock: too many open files"`)
		mustLog(t, log, "internal error", 0)
	})
}

// A connection that goes for another one says for which limit.
func TestEvictionNamesItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, set := range map[string]func(*pop3server.Limits){
			"connections":             func(l *pop3server.Limits) { l.Connections = 1 },
			"connections_per_address": func(l *pop3server.Limits) { l.ConnectionsPerAddress = 1 },
		} {
			srv, _, log := guarded()
			set(&srv.Limits)
			var gone []*client
			for range 4 {
				gone = append(gone, connectFrom(t, srv, "192.0.2.1").greeted())
				synctest.Wait()
			}
			for _, c := range gone[:3] {
				<-c.done
			}
			mustLog(t, log, "session ended", 3, "reason=evicted", "limit="+limit)
			mustLog(t, log, "connections that had not logged in went for others", 1, "level=WARN", "limit="+limit, "times=1")
			<-time.After(time.Minute)
			last := connectFrom(t, srv, "192.0.2.1").greeted()
			<-gone[3].done
			if lines := log.linesWith("connections that had not logged in went for others"); len(lines) != 2 || !strings.Contains(lines[1], "times=3") {
				t.Errorf("%q", lines)
			}
			last.conn.Close()
			<-last.done
		}
	})
}

// An unread connection has a word to say about its end.
type unread struct{ net.Conn }

func (u *unread) Read([]byte) (int, error)  { return 0, &ownWord{io.EOF} }
func (u *unread) Write([]byte) (int, error) { return 0, &ownWord{io.EOF} }

type ownWord struct{ error }

func (*ownWord) Reason() string { return "PROXY header" }

func TestConnectionNamesItsEnd(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		srv, log := newTLSServer(newDrop())
		ours, theirs := net.Pipe()
		serve := srv.ServeConn
		if implicit {
			serve = srv.ServeConnTLS
		}
		if err := serve(&unread{theirs}); err != nil {
			t.Error(err)
		}
		ours.Close()
		mustLog(t, log, "session ended", 1, "level=WARN", `reason="PROXY header"`, "err=EOF")
	}
}

// A proxy that the server has not been told of shows.
func TestUnexpectedProxyHeaderIsLogged(t *testing.T) {
	const binary = "\r\n\r\n\x00\r\nQUIT\n"
	for _, implicit := range []bool{false, true} {
		for _, header := range []string{"PROXY TCP4 192.0.2.1 192.0.2.2 40000 110\r\n", binary} {
			srv, log := newTLSServer(newDrop())
			for range 3 {
				ours, theirs := net.Pipe()
				serve, done := srv.ServeConn, make(chan struct{})
				if implicit {
					serve = srv.ServeConnTLS
				}
				go func() {
					defer close(done)
					serve(theirs)
				}()
				go io.WriteString(ours, header+strings.Repeat("X\r\n", 30)+"QUIT\r\n")
				io.Copy(io.Discard, ours)
				ours.Close()
				<-done
			}
			mustLog(t, log, "a PROXY header came from an address that is not named as a proxy", 1, "level=WARN", "session=", "rip=")
		}
	}
	srv, log := newTLSServer(newDrop())
	c := connect(t, srv).greeted()
	c.talk("C: NOOP\nS: -ERR ...\nC: PROXY TCP4\nS: -ERR ...\nC: QUIT\nS: +OK ...\n(close)")
	mustLog(t, log, "a PROXY header came from an address that is not named as a proxy", 0)
}

// P3-EXT-03: whoever keeps accounts needs the certificate that did not fit.
func TestFailedExternalNamesTheCertificate(t *testing.T) {
	srv, log := newFullServer(three())
	config := showing(0, "eve\n"+strings.Repeat("e", 60))
	c, _ := connectFull(t, srv, config)
	c.talk("C: AUTH EXTERNAL b3RoZXI=\nS: -ERR [AUTH] login failed")
	sum := sha256.Sum256(config.Certificates[0].Certificate[0])
	mustLog(t, log, "login failed", 1, "cert="+hex.EncodeToString(sum[:]), `subject="CN=eve`)
	line := log.linesWith("login failed")[0]
	if _, subject, _ := strings.Cut(line, "subject="); len(subject) > 200 || strings.Contains(subject, "\n") {
		t.Errorf("%q", line)
	}
}

// Each connection has a name of its own, on all listeners of a process.
func TestSessionsOfTwoServersHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		srv, log := newServer(newDrop())
		for range 3 {
			c := connect(t, srv).greeted()
			c.talk("C: QUIT\nS: +OK ...\n(close)")
			<-c.done
		}
		for _, line := range log.linesWith("session ended") {
			_, id, _ := strings.Cut(line, "session=")
			id, _, _ = strings.Cut(id, " ")
			if seen[id] {
				t.Errorf("%s twice", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d", len(seen))
	}
}
