//go:build unix

package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"postfach/internal/datafolder"
)

// Promise 20 (P3-ST-15): SIGTERM lets a reply that has begun end, and deletes
// nothing that no QUIT asked for.
func TestSIGTERMInRETRFinishesTheReply(t *testing.T) {
	h := newHouse(t)
	whole := bigMail(16)
	h.put("cur/1.big:2,", whole)
	h.put("new/2.small", "Subject: x\r\n\r\n")
	p := h.serve()
	c := h.login(p)
	c.ok("DELE 2")
	c.send("RETR 1\r\nQUIT\r\n")
	c.line()
	aFew(t, c.r)
	p.signal(syscall.SIGTERM)
	p.stderr.wait(t, "msg=ending")
	rest := c.closed()
	want := strings.ReplaceAll(whole, "\n", "\r\n")[100:] + ".\r\n"
	if rest != want {
		t.Errorf("%d octets came, want %d: %q", len(rest), len(want), tail(rest))
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := h.names(); len(got) != 2 {
		t.Errorf("left: %q", got)
	}
}

// Promise 20: who does not read, does not finish a handshake, or says nothing
// keeps the server for the grace period at most. Nothing is deleted.
func TestSIGTERMWaitsForNobodyForEver(t *testing.T) {
	h := newHouse(t)
	name := filepath.Join(tempDir(t), "postfachd.toml")
	must(t, os.WriteFile(name, []byte("shutdown_grace = \"1s\"\n"), 0o644))
	h.config = []string{"--config", name}
	h.put("cur/1.big:2,", bigMail(16))
	h.put("new/2.small", "Subject: x\r\n\r\n")
	p := h.serve()
	want := h.listed(p)

	deaf := h.login(p) // never reads
	deaf.ok("DELE 2")
	deaf.send("RETR 1\r\nQUIT\r\n")
	aFew(t, deaf.r)
	half, err := net.Dial("tcp", p.address("pop3s")) // half a handshake
	must(t, err)
	defer half.Close()
	_, err = half.Write([]byte("\x16\x03\x01\x02\x00\x01"))
	must(t, err)
	stls := p.dial() // and half of another
	stls.line()
	stls.ok("STLS")
	stls.send("\x16\x03\x01")
	silent := p.dial() // says nothing
	silent.line()

	p.signal(syscall.SIGTERM)
	p.wait() // fails when it takes too long
	p.stderr.wait(t, "msg=ended")
	h.config = nil
	p = h.serve()
	if got := h.listed(p); !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	p.end()
}

// Promise 20: SIGTERM in the moment of a QUIT with many deletions. The removal
// happens, whole and acknowledged, or not at all; and a QUIT that comes after
// the end has begun is not obeyed.
func TestSIGTERMAtQUITIsAllOrNothing(t *testing.T) {
	const messages = 600
	for round := range 4 {
		h := newHouse(t)
		fill(t, h.mail, messages)
		giveToOwner(t, h.data)
		p := h.serve()
		c := h.login(p)
		var marks strings.Builder
		for n := range messages - 1 {
			fmt.Fprintf(&marks, "DELE %d\r\n", n+1)
		}
		c.send(marks.String())
		for range messages - 1 {
			c.line()
		}
		if round%2 == 0 {
			c.send("QUIT\r\n")
			p.signal(syscall.SIGTERM)
		} else { // it may come too late
			p.signal(syscall.SIGTERM)
			p.stderr.wait(t, "msg=ending")
			c.conn.Write([]byte("QUIT\r\n"))
		}
		rest, _ := io.ReadAll(c.r)
		answer := string(rest)
		if code := p.wait(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		ok, left := strings.HasPrefix(answer, "+OK"), len(h.names())
		if ok && left != 1 || !ok && left != messages {
			t.Errorf("round %d: %d messages are left, and the answer was %q", round, left, answer)
		}
	}
}

// A slowHandshake holds back all but the first octets that are written, until
// it is let go.
type slowHandshake struct {
	net.Conn
	begun, let chan struct{}
	once       sync.Once
}

func (s *slowHandshake) Write(p []byte) (int, error) {
	sent := 0
	var err error
	s.once.Do(func() {
		sent, err = s.Conn.Write(p[:11])
		close(s.begun)
		<-s.let
	})
	if err != nil {
		return sent, err
	}
	n, err := s.Conn.Write(p[sent:])
	return sent + n, err
}

// Promise 20: SIGHUP with a bad certificate, in the middle of a RETR, of a
// handshake, and between DELE and QUIT: no session is lost, and the old
// certificate stays.
func TestSIGHUPWithABadCertificateDisturbsNobody(t *testing.T) {
	h := newHouse(t)
	whole := bigMail(16)
	h.put("cur/1.big:2,", whole)
	h.put("new/2.small", "Subject: x\r\n\r\n")
	p := h.serve()
	roots := pool(t, h.data)

	reader := p.dialTLS(h.data)
	reader.login("postfach", h.password)
	reader.ok("DELE 2")
	reader.send("RETR 1\r\n")
	aFew(t, reader.r)

	conn, err := net.Dial("tcp", p.address("pop3s"))
	must(t, err)
	slow := &slowHandshake{Conn: conn, begun: make(chan struct{}), let: make(chan struct{})}
	late := tls.Client(slow, &tls.Config{RootCAs: roots, ServerName: "localhost"})
	shaken := make(chan error, 1)
	go func() { shaken <- late.Handshake() }()
	<-slow.begun

	folder := datafolder.Folder(h.data)
	good, err := os.ReadFile(folder.Certificate())
	must(t, err)
	for _, bad := range []string{"nonsense", "", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"} {
		must(t, os.WriteFile(folder.Certificate(), []byte(bad), 0o600))
		if log := p.hup(); !strings.Contains(log, "certificate not reloaded") {
			t.Errorf("log:\n%s", log)
		}
	}
	close(slow.let)
	must(t, <-shaken)
	c := newClient(t, late)
	c.line()
	c.ok("USER postfach")
	c.refused("PASS " + h.password) // [IN-USE]: the reader has it
	c.ok("QUIT")

	fresh, err := tls.Dial("tcp", p.address("pop3s"), &tls.Config{RootCAs: roots, ServerName: "localhost"})
	must(t, err)
	fresh.Close()

	// One that puts all into force ends no session either.
	must(t, os.WriteFile(folder.Certificate(), good, 0o600))
	if log := p.hup(); !strings.Contains(log, "msg=reloaded") {
		t.Errorf("log:\n%s", log)
	}

	var got strings.Builder
	for line := ""; line != ".\r\n"; got.WriteString(line) {
		line, err = reader.r.ReadString('\n')
		must(t, err)
	}
	if want := strings.ReplaceAll(whole, "\n", "\r\n") + ".\r\n"; !strings.HasSuffix(want, got.String()) || got.Len() < len(want)-100 {
		t.Errorf("%d octets, want about %d", got.Len(), len(want))
	}
	reader.ok("QUIT")
	if left := h.names(); !slices.Equal(left, []string{"cur/1.big:2,"}) {
		t.Errorf("left: %q", left)
	}
	p.end()
}
