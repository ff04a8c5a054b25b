//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Promise 18, and 8: a panic ends one session of the real program, is logged with
// its stack, and leaves neither a lock nor a half reply that looks whole. Others
// notice nothing. The tests of pop3server know more places where it can happen.
func TestPanicEndsOneSession(t *testing.T) {
	h := newHouse(t)
	h.put("new/1.mine", "Subject: one\n\nbody\n")
	h.put("new/2.harmless", "Subject: two\n\nbody\n")
	addAccount(t, h.data, "second", "password of the second")
	p := h.serveMined()
	calm := p.dial()
	calm.login("second", "password of the second")

	c := p.dial()
	c.line()
	c.ok("USER mine")
	c.send("PASS x\r\n")
	if got := c.closed(); got != "" {
		t.Errorf("a panic in a login: %q", got)
	}
	for _, commands := range []string{"RETR 1\r\n", "TOP 1 9\r\n", "DELE 2\r\nRETR 1\r\nQUIT\r\n", "DELE 1\r\nQUIT\r\n"} {
		c := h.login(p) // at once: the one before has left no lock
		c.send(commands)
		got, _ := io.ReadAll(c.r)
		if strings.HasSuffix(string(got), "\r\n.\r\n") || strings.Contains(string(got), "sign") {
			t.Errorf("%q: %q", commands, got)
		}
	}
	calm.ok("NOOP")
	calm.ok("QUIT")
	if got := h.listed(p); len(got) != 2 {
		t.Errorf("listed %q", got)
	}
	p.end()
	log := p.stderr.String()
	panics, ends := strings.Count(log, "msg=panic "), strings.Count(log, "reason=panic")
	if panics != 5 || ends != 5 || strings.Count(log, "mine.go:") < panics {
		t.Errorf("%d panics in the log, %d sessions that ended by one:\n%s", panics, ends, log)
	}
}

// serveMined starts a postfachd that panics at what is called a mine, and hangs at
// what is stalled.
func (h *house) serveMined(args ...string) *program {
	h.t.Helper()
	exe := filepath.Join(tempDir(h.t), "postfachd")
	build := exec.Command("go", "build", "-tags", "mines", "-o", exe, ".")
	if out, err := build.CombinedOutput(); err != nil {
		h.t.Fatalf("%v: %s", err, out)
	}
	must(h.t, os.Chmod(exe, 0o755))
	p := started(h.t, exec.Command(exe, append([]string{"--data", h.data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0"}, args...)...))
	p.mayPanic = true
	p.stdout.wait(h.t, "listening pop3s ")
	return p
}
