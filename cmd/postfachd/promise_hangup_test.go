//go:build unix

package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Promise 1 (P3-ST-03): a message leaves the maildrop only after DELE and a
// complete QUIT line, however the connection ends before that.
func TestOnlyACompleteQUITDeletes(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"new/1.a", "cur/2.b:2,S", "new/3.c"} {
		h.put(name, "Subject: x\n\n"+name+"\n")
	}
	p := h.serve()
	want := h.listed(p)
	if len(want) != 3 {
		t.Fatalf("listed %q", want)
	}
	for name, end := range map[string]func(c *client){
		"drop":                  func(c *client) { c.tcp().Close() },
		"reset":                 func(c *client) { c.tcp().SetLinger(0); c.tcp().Close() },
		"half-close":            func(c *client) { c.tcp().CloseWrite(); c.closed() },
		"QUIT without line end": func(c *client) { c.send("QUIT"); c.tcp().CloseWrite(); c.closed() },
		"QUIT and CR":           func(c *client) { c.send("QUIT\r"); c.tcp().CloseWrite(); c.closed() },
		"part of QUIT":          func(c *client) { c.ok("NOOP"); c.send("QUI"); c.tcp().SetLinger(0); c.tcp().Close() },
		"QUIT in a long line":   func(c *client) { c.refused("NOOP QUIT"); c.tcp().Close() },
		"QUIT with an argument": func(c *client) { c.refused("QUIT now"); c.tcp().Close() },
		"QUIT and CR CR":        func(c *client) { c.send("QUIT\rQUIT\r"); c.tcp().CloseWrite(); c.closed() },
		"QUIT after RSET":       func(c *client) { c.ok("RSET"); c.ok("QUIT"); c.closed() },
		"orderly close":         func(c *client) { c.conn.Close() },
	} {
		for _, tls := range []bool{false, true} {
			c := p.dial
			if tls {
				c = func() *client { return p.dialTLS(h.data) }
			}
			session := c()
			session.login("postfach", h.password)
			for _, command := range []string{"DELE 1", "DELE 2", "DELE 3"} {
				session.ok(command)
			}
			end(session)
			if got := h.listed(p); !slices.Equal(got, want) {
				t.Fatalf("%s (TLS %v): listed %q, want %q", name, tls, got, want)
			}
		}
	}
	for name, kill := range map[string]func(p *program){
		"SIGTERM": func(p *program) { p.end() },
		"SIGINT":  func(p *program) { p.signal(syscall.SIGINT); p.wait() },
		"kill -9": func(p *program) { p.signal(syscall.SIGKILL); p.wait() },
	} {
		c := h.login(p)
		c.ok("DELE 1")
		c.ok("DELE 3")
		c.send("QUI") // and the line end never comes
		kill(p)
		p = h.serve()
		if got := h.listed(p); !slices.Equal(got, want) {
			t.Fatalf("%s: listed %q, want %q", name, got, want)
		}
	}
	// A QUIT in pieces is a QUIT.
	c := h.login(p)
	c.ok("DELE 2")
	for _, piece := range []string{"Q", "UI", "T", "\r", "\n"} {
		c.send(piece)
	}
	if got := c.line(); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	c.closed()
	if got := h.listed(p); !slices.Equal(got, slices.Delete(want, 1, 2)) {
		t.Errorf("listed %q after a QUIT in pieces", got)
	}
	p.end()
}
