//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/awkward"
)

// Promise 7: one bad file never blocks the maildrop. Only regular files below it
// are read, and no symlink leads anywhere.
func TestOddFilesBlockNobody(t *testing.T) {
	h := newHouse(t)
	secret := filepath.Join(filepath.Dir(h.data), "secret")
	must(t, os.WriteFile(secret, []byte("Subject: secret\n\n"), 0o644))
	h.put("cur/1.good:2,S", "Subject: good\r\n\r\n")
	h.put("new/2.closed", "Subject: closed\r\n\r\n")
	must(t, os.Chmod(h.path("new/2.closed"), 0))
	h.put("new/3.length,S=5", "Subject: lying length\r\n\r\n")
	h.put("new/4.wire,S=29,W=40", "Subject: lying wire size\r\n\r\nx")
	h.put("new/5.absurd,S=x,W=99999999999999999999", "Subject: absurd\r\n\r\n")
	h.put("new/6.empty", "")
	h.put("new/.hidden", "Subject: hidden\r\n\r\n")
	for name, target := range map[string]string{
		"new/0.link-out": secret, "new/0.link-in": "../cur/1.good:2,S", "cur/0.loop:2,": "0.loop:2,",
		"cur/0.account:2,": filepath.Join(h.data, "accounts"), "new/0.dangling": "nowhere", "new/0.proc": "/proc/self/environ",
	} {
		must(t, os.Symlink(target, h.path(name)))
	}
	must(t, syscall.Mkfifo(h.path("new/0.fifo"), 0o666))
	must(t, os.Mkdir(h.path("cur/0.folder"), 0o700))
	if os.Getuid() == 0 { // the device that never ends, and one that makes noise
		must(t, syscall.Mknod(h.path("new/0.zero"), syscall.S_IFCHR|0o666, 1<<8|5))
		must(t, syscall.Mknod(h.path("new/0.random"), syscall.S_IFCHR|0o666, 1<<8|9))
	}
	// A socket's name may not be long: it is made elsewhere.
	short, err := os.MkdirTemp("", "")
	must(t, err)
	defer os.RemoveAll(short)
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(short, "s"), Net: "unix"})
	must(t, err)
	defer socket.Close()
	must(t, os.Rename(filepath.Join(short, "s"), h.path("new/0.socket")))

	p := h.serve()
	c := h.login(p)
	want := []string{"1.good", "2.closed", "3.length", "4.wire", "5.absurd", "6.empty"}
	if got := c.ids(); !slices.Equal(got, want) {
		t.Fatalf("listed %q", got)
	}
	for n, text := range map[int]string{1: "Subject: good\r\n\r\n", 3: "Subject: lying length\r\n\r\n", 5: "Subject: absurd\r\n\r\n", 6: ""} {
		if got := c.retr(n); got != text {
			t.Errorf("message %d is %q", n, got)
		}
	}
	c.refused("RETR 2")
	c.refused("TOP 2 0")
	c.send("RETR 4\r\n")
	if got := c.closed(); strings.HasSuffix(got, "\r\n.\r\n") { // it was announced with other octets
		t.Errorf("RETR of a message with a lying W=: %q", got)
	}
	c = h.login(p) // and healed itself
	if got := c.retr(4); got != "Subject: lying wire size\r\n\r\nx\r\n" {
		t.Errorf("in the next session: %q", got)
	}
	for n := range want {
		c.ok(fmt.Sprint("DELE ", n+1))
	}
	c.ok("QUIT") // an unreadable file can be removed
	c.closed()
	if got := h.names(); len(got) < 11 || slices.ContainsFunc(got, func(n string) bool { return strings.Contains(n, ".good") }) {
		t.Errorf("left: %q", got)
	}
	if _, err := os.Stat(secret); err != nil {
		t.Error(err)
	}
	p.end()
}

// Promise 7: new/ or cur/ that is a symlink would lead out of the Maildir.
func TestFoldersThatAreLinksAreNotFollowed(t *testing.T) {
	h := newHouse(t)
	elsewhere := tempDir(t)
	must(t, os.Mkdir(filepath.Join(elsewhere, "new"), 0o755))
	must(t, os.WriteFile(filepath.Join(elsewhere, "new", "1.secret"), []byte("Subject: secret\n\n"), 0o644))
	must(t, os.Remove(h.path("new")))
	must(t, os.Symlink(filepath.Join(elsewhere, "new"), h.path("new")))
	p := h.serve()
	c := p.dial()
	c.line()
	c.ok("USER postfach")
	c.refused("PASS " + h.password)
	c.ok("QUIT")
	p.end()
}

// Promises 2 and 7: so would one that comes in a session. Nothing behind it is read, and
// nothing is removed.
func TestLinkThatComesInASessionIsNotFollowed(t *testing.T) {
	h := newHouse(t)
	h.put("new/1.x", "Subject: mine\n\n")
	h.put("new/2.y", "Subject: mine\n\n")
	p := h.serve()
	c := h.login(p)
	elsewhere := filepath.Join(h.mail, "tmp", "elsewhere")
	must(t, os.Rename(h.path("new"), h.path("away")))
	must(t, os.Mkdir(elsewhere, 0o700))
	for _, name := range []string{"1.x", "2.y"} { // the very files, so that only the link can be the reason
		must(t, os.Link(filepath.Join(h.path("away"), name), filepath.Join(elsewhere, name)))
	}
	must(t, os.Symlink("tmp/elsewhere", h.path("new"))) // in the Maildir, so that nothing but its being a link is wrong
	h.own(elsewhere)
	c.refused("RETR 1")
	c.ok("DELE 2")
	c.refused("QUIT")
	c.closed()
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != 2 {
		t.Errorf("behind the link: %v, %v", entries, err)
	}
	p.end()
}

// Promise 6: what RETR sends is what is stored, for all awkward messages, and
// as many octets as LIST and the first line say. Other people's programs fetch
// the same messages in internal/interop.
func TestEveryMessageGoesOutAsItIs(t *testing.T) {
	h := newHouse(t)
	messages := awkward.Messages()
	for n, m := range messages {
		h.put(fmt.Sprintf("new/%d.awkward", 1000+n), string(m.Octets))
	}
	p := h.serve()
	c := h.login(p)
	sizes := c.multi("LIST")
	for n, m := range messages {
		want := string(m.Wire())
		if got := c.retr(n + 1); got != want {
			t.Errorf("%s: %d octets, want %d", m.Name, len(got), len(want))
		}
		if line := fmt.Sprint(n+1, " ", len(want)); sizes[n] != line {
			t.Errorf("%s: listed as %q, want %q", m.Name, sizes[n], line)
		}
	}
	c.ok("QUIT")
	p.end()
}
