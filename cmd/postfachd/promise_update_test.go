//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/unprivileged"
)

// Promise 2 (P3-UPD-02, P3-UPD-04): where the folder does not let go of a
// message, QUIT says so and how many remain, and only those do.
func TestQUITSaysWhatRemains(t *testing.T) {
	if !unprivileged.Run(t) { // root may write where nobody may
		return
	}
	h := newHouse(t)
	for _, name := range []string{"new/1.a", "cur/2.b:2,S", "new/3.c", "cur/4.d:2,"} {
		h.put(name, "Subject: x\n\n"+name+"\n")
	}
	p := h.serve()
	before := h.listed(p)
	must(t, os.Chmod(h.path("new"), 0o500))
	c := h.login(p)
	for n := range 4 {
		c.ok(fmt.Sprint("DELE ", n+1))
	}
	if got := c.refused("QUIT"); !strings.Contains(got, "2 deleted messages not removed") {
		t.Errorf("QUIT: %s", got)
	}
	c.closed()
	if got := h.listed(p); !slices.Equal(got, []string{before[0], before[2]}) {
		t.Errorf("listed %q, before %q", got, before)
	}
	must(t, os.Chmod(h.path("new"), 0o700))
	c = h.login(p)
	c.ok("DELE 1")
	c.ok("QUIT")
	c.closed()
	if got := h.listed(p); !slices.Equal(got, before[2:3]) {
		t.Errorf("listed %q when it can be removed", got)
	}
	p.end()
}

// Promise 2: with +OK to QUIT the messages are gone, whatever happens to the
// server in the next moment.
func TestKillRightAfterQUITIsOKBringsNothingBack(t *testing.T) {
	h := newHouse(t)
	for round := range 10 {
		for n := range 20 {
			h.put(fmt.Sprintf("new/%d.round%d", 1000+n, round), "Subject: x\n\nx\n")
		}
		p := h.serve()
		c := h.login(p)
		for n := range 20 {
			if n%2 == 0 {
				c.ok(fmt.Sprint("DELE ", n+1))
			}
		}
		c.ok("QUIT")
		p.signal(syscall.SIGKILL)
		if got := h.names(); len(got) != 10 {
			t.Errorf("round %d: %d files are left right after +OK", round, len(got))
		}
		p.wait()
		p = h.serve()
		c = h.login(p)
		for n, id := range c.ids() {
			if want := fmt.Sprintf("%d.round%d", 1001+2*n, round); id != want {
				t.Errorf("round %d: %s is left, want %s", round, id, want)
			}
			c.ok(fmt.Sprint("DELE ", n+1))
		}
		c.ok("QUIT")
		c.closed()
		p.end()
	}
}

// Promises 17 and 5: nothing is removed from a Maildir that is moved away in a session,
// and what is in its place is not taken for it. The server goes on, and what comes back
// is whole.
func TestMaildirIsMovedAwayInASession(t *testing.T) {
	h := newHouse(t)
	h.put("new/1.a", "Subject: x\n\none\n")
	h.put("cur/2.b:2,", "Subject: x\n\ntwo\n")
	p := h.serve()
	want := h.listed(p)
	for _, replace := range []bool{false, true} {
		c := h.login(p)
		c.ok("DELE 1")
		away := filepath.Join(filepath.Dir(h.mail), ".away")
		must(t, os.Rename(h.mail, away))
		if replace { // a disk that is not mounted: an empty Maildir is in its place
			for _, folder := range []string{"", "new", "cur", "tmp"} {
				must(t, os.Mkdir(h.path(folder), 0o700))
				h.own(h.path(folder))
			}
		}
		if got := c.retr(2); !strings.HasSuffix(got, "two\r\n") { // the folder that is locked is still the maildrop
			t.Errorf("RETR: %q", got)
		}
		if got := c.multi("LIST"); len(got) != 1 { // P3-LCK-07: fixed, and message 1 is marked
			t.Errorf("LIST: %q", got)
		}
		if got := c.refused("QUIT"); !strings.Contains(got, "not removed") {
			t.Errorf("QUIT: %s", got)
		}
		c.closed()
		if replace {
			for _, folder := range []string{"new", "cur", "tmp", ""} {
				must(t, os.Remove(h.path(folder)))
			}
		} else {
			d := p.dial()
			d.line()
			d.ok("USER postfach")
			d.refused("PASS " + h.password)
			d.ok("QUIT")
		}
		must(t, os.Rename(away, h.mail))
		if got := h.listed(p); !slices.Equal(got, want) {
			t.Errorf("listed %q, want %q", got, want)
		}
	}
	p.end()
}
