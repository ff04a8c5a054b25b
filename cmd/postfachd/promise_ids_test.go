//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/pop3"
)

// Promise 4 (P3-UIDL-03, P3-UIDL-04, P3-UIDL-06): whatever files are called,
// each message has a legal unique-id of its own, and the same one for ever:
// through restarts, kills, flags and moves, and in a folder that the server may
// not write to.
func TestUniqueIDsAreForEver(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("l", 70)
	for i, name := range []string{
		"new/" + long, "new/" + long + "m", "cur/" + long + "m:2,S", "new/" + strings.Repeat("x", 245),
		"cur/with space:2,", "new/tab\there", "new/umlaut-\u00fc", "new/bad-utf8-\xff\xfe", "new/control-\x01\x7f",
		"cur/,S=1:2,", "cur/:2,S", "new/dots..", "new/'quote\"", "new/new\nline", "new/%s%d%n",
		"new/1700000000.M1P1.host", "cur/1700000000.M1P1.host:2,RS", "cur/1700000000.M1P1.host:2,S", "new/1700000000.M2P1.host,S=99,W=99",
	} {
		h.put(name, fmt.Sprintf("Subject: number %d\r\n\r\n%s\r\n", i, strings.Repeat("y", i)))
		when := time.Now().Add(-time.Duration(1000-i) * time.Hour) // twins differ in age
		must(t, os.Chtimes(h.path(name), when, when))
	}
	for range 3 { // the same octets again and again
		h.put(fmt.Sprintf("new/copy%d", len(h.names())), "Subject: copy\r\n\r\n")
	}
	p := h.serve()
	c := h.login(p)
	want := c.texts() // ids were told, and the next moment ...
	p.signal(syscall.SIGKILL)
	p.wait()
	if len(want) != 22 {
		t.Errorf("%d messages, want 22", len(want))
	}
	for id := range want {
		if !pop3.UniqueID(id).Valid() {
			t.Errorf("%q is not legal", id)
		}
	}
	same := func(when string) {
		t.Helper()
		p := h.serve()
		c := h.login(p)
		if got := c.texts(); !maps.Equal(got, want) {
			t.Errorf("%s:\n%q\nbefore\n%q", when, got, want)
		}
		c.ok("QUIT")
		c.closed()
		p.end()
	}
	same("after kill -9")
	for _, name := range h.names() { // another program sets flags
		base, _, _ := strings.Cut(filepath.Base(name), ":2,")
		must(t, os.Rename(h.path(name), h.path("cur/"+base+":2,FRS")))
	}
	same("with other flags")
	for i, name := range h.names() {
		if i%2 == 0 {
			base, _, _ := strings.Cut(filepath.Base(name), ":2,")
			must(t, os.Rename(h.path(name), h.path("new/"+base)))
		}
	}
	must(t, os.Chmod(h.path("new"), 0o500))
	must(t, os.Chmod(h.path("cur"), 0o500))
	same("in folders that are read-only")
	must(t, os.Chmod(h.path("new"), 0o700))
	must(t, os.Chmod(h.path("cur"), 0o700))

	// A copy of the whole folder on another disk, with other inodes.
	moved := h.mail + ".moved"
	must(t, os.Rename(h.mail, moved))
	for _, folder := range []string{"", "new", "cur", "tmp"} {
		must(t, os.Mkdir(h.path(folder), 0o700))
		h.own(h.path(folder))
	}
	for _, folder := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(moved, folder))
		must(t, err)
		for _, e := range entries {
			octets, err := os.ReadFile(filepath.Join(moved, folder, e.Name()))
			must(t, err)
			h.put(folder+"/"+e.Name(), string(octets))
		}
	}
	same("restored from a backup")
}

// texts returns the messages by unique-id.
func (c *client) texts() map[string]string {
	c.t.Helper()
	texts := map[string]string{}
	for i, id := range c.ids() {
		if _, twice := texts[id]; twice {
			c.t.Errorf("two messages have the unique-id %q", id)
		}
		texts[id] = c.retr(i + 1)
	}
	return texts
}

// Promises 4 and 3: the kill comes in the moment in which the unique-ids of
// twins were told for the first time; whatever the server was doing to their
// names, they keep them.
func TestKillRightAfterUIDLChangesNoID(t *testing.T) {
	for round := range 10 {
		h := newHouse(t)
		for n := range 40 {
			name := fmt.Sprintf("cur/%d.twin:2,%s", n/4, []string{"", "F", "S", "FS"}[n%4])
			h.put(name, fmt.Sprintf("Subject: number %d\r\n\r\n", n))
		}
		p := h.serve()
		if round > 0 { // somewhere in the login, too
			c := p.dial()
			c.line()
			c.ok("USER postfach")
			c.send("PASS " + h.password + "\r\n")
			<-time.After(time.Duration(round) * time.Millisecond)
			p.signal(syscall.SIGKILL)
			p.wait()
			p = h.serve()
		}
		c := h.login(p)
		ids := c.ids()
		p.signal(syscall.SIGKILL)
		p.wait()
		p = h.serve()
		c = h.login(p)
		want := c.texts()
		if got := slices.Sorted(maps.Keys(want)); !slices.Equal(got, sorted(ids)) || len(got) != 40 {
			t.Errorf("round %d: %q after a kill, before %q", round, got, ids)
		}
		c.ok("QUIT")
		c.closed()
		c = h.login(p)
		if got := c.texts(); !maps.Equal(got, want) {
			t.Errorf("round %d: %q, then %q", round, want, got)
		}
		p.end()
	}
}
