//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
)

// Promise 8 (P3-LCK-05): no lock outlives its session. A login waits up to 1.5
// seconds for another session, then hears [IN-USE]; so it works when that one
// ends meanwhile, however it does, and when its server is killed.
func TestNoLockOutlivesItsSession(t *testing.T) {
	h := newHouse(t)
	h.put("new/1.big", bigMail(16))
	p := h.serve()
	for name, end := range map[string]func(c *client){
		"QUIT":       func(c *client) { c.ok("QUIT") },
		"drop":       func(c *client) { c.tcp().Close() },
		"reset":      func(c *client) { c.tcp().SetLinger(0); c.tcp().Close() },
		"half-close": func(c *client) { c.tcp().CloseWrite() },
		"drop in RETR": func(c *client) {
			c.send("RETR 1\r\n")
			aFew(t, c.r)
			c.tcp().Close()
		},
	} {
		first, second := h.login(p), p.dial()
		second.line()
		second.ok("USER postfach")
		second.send("PASS " + h.password + "\r\n") // it waits
		end(first)
		if got := second.line(); !strings.HasPrefix(got, "+OK") {
			t.Errorf("%s: the next login: %s", name, got)
		}
		second.ok("QUIT")
		second.closed()
	}
	first, second := h.login(p), p.dial()
	second.line()
	second.ok("USER postfach")
	if got := second.refused("PASS " + h.password); !strings.Contains(got, "[IN-USE]") {
		t.Errorf("while another session has it: %s", got)
	}
	first.ok("NOOP")
	first.send("RETR 1\r\n")
	aFew(t, first.r)
	p.signal(syscall.SIGKILL)
	p.wait()
	p = h.serve()
	h.login(p).ok("QUIT") // at once
	p.end()
}
