//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The tests in promise_*_test.go hold what Postfach promises about mail against
// the real program: its process, its files, its sockets.

// A house is a data folder with one account, whose maildrop the test fills.
type house struct {
	t              *testing.T
	data, password string
	mail           string // the account's Maildir
	owner          *syscall.Stat_t
	config         []string // of every server in it
}

// newHouse makes one. The maildrop is empty.
func newHouse(t *testing.T) *house { return houseIn(t, newData(t)) }

func houseIn(t *testing.T, data string) *house {
	t.Helper()
	h := &house{t: t, data: data}
	h.serve().end()
	h.password = firstPassword(t, data)
	h.mail = filepath.Join(data, "mail", "postfach")
	welcome, err := filepath.Glob(filepath.Join(h.mail, "new", "*"))
	must(t, err)
	for _, name := range welcome {
		must(t, os.Remove(name))
	}
	info, err := os.Stat(data)
	must(t, err)
	h.owner = info.Sys().(*syscall.Stat_t)
	return h
}

func (h *house) serve(args ...string) *program {
	h.t.Helper()
	return serveIn(h.t, h.data, append(h.config, args...)...)
}

// own gives a file to the user that the server runs as.
func (h *house) own(path string) {
	h.t.Helper()
	must(h.t, os.Lchown(path, int(h.owner.Uid), int(h.owner.Gid)))
}

// put puts a file into the Maildir, as another program does: by a rename.
func (h *house) put(name, content string) {
	h.t.Helper()
	tmp := filepath.Join(h.mail, "tmp", "put")
	must(h.t, os.WriteFile(tmp, []byte(content), 0o600))
	h.own(tmp)
	must(h.t, os.Rename(tmp, h.path(name)))
}

func (h *house) path(name string) string { return filepath.Join(h.mail, name) }

// names returns what is in new/ and cur/.
func (h *house) names() (names []string) {
	h.t.Helper()
	for _, folder := range []string{"new", "cur"} {
		entries, err := os.ReadDir(h.path(folder))
		must(h.t, err)
		for _, e := range entries {
			names = append(names, folder+"/"+e.Name())
		}
	}
	return names
}

// login is a session that is logged in, in clear on loopback.
func (h *house) login(p *program) *client {
	h.t.Helper()
	c := p.dial()
	c.login("postfach", h.password)
	return c
}

// listed is what a new session sees: unique-ids in their order.
func (h *house) listed(p *program) []string {
	h.t.Helper()
	c := h.login(p)
	ids := c.ids()
	c.ok("QUIT")
	c.closed()
	return ids
}

// ok is say for a command that must succeed.
func (c *client) ok(command string) string {
	c.t.Helper()
	line := c.say(command)
	if !strings.HasPrefix(line, "+OK") {
		c.t.Errorf("%.40q: %s", command, line)
	}
	return line
}

// refused is say for a command that must not.
func (c *client) refused(command string) string {
	c.t.Helper()
	line := c.say(command)
	if !strings.HasPrefix(line, "-ERR ") {
		c.t.Errorf("%.40q: %.100s", command, line)
	}
	return line
}

// retr returns a message, byte-stuffing removed.
func (c *client) retr(n int) string {
	c.t.Helper()
	if line := c.say(fmt.Sprint("RETR ", n)); !strings.HasPrefix(line, "+OK") {
		return line
	}
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		must(c.t, err)
		if line == ".\r\n" {
			return b.String()
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// multi returns the lines of a multi-line reply.
func (c *client) multi(command string) (lines []string) {
	c.t.Helper()
	c.ok(command)
	for {
		line := c.line()
		if line == "." {
			return lines
		}
		lines = append(lines, line)
	}
}

// closed waits until the server has closed the connection, and returns what
// came before.
func (c *client) closed() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.r)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		c.t.Errorf("the connection does not end: %v", err)
	}
	return string(rest)
}

// tcp is the connection below TLS.
func (c *client) tcp() *net.TCPConn {
	if t, ok := c.conn.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn().(*net.TCPConn)
	}
	return c.conn.(*net.TCPConn)
}

// send sends octets and waits for nothing.
func (c *client) send(octets string) {
	c.t.Helper()
	c.said.note(octets)
	_, err := io.WriteString(c.conn, octets)
	must(c.t, err)
}

// bigMail makes a message that no socket's buffers hold.
func bigMail(megabytes int) string {
	line := strings.Repeat("0123456789", 7) + "\n"
	return "Subject: big\n\n" + string(bytes.Repeat([]byte(line), megabytes<<20/len(line)))
}

// aFew reads so much of a reply that it has begun.
func aFew(t *testing.T, r *bufio.Reader) {
	t.Helper()
	_, err := io.CopyN(io.Discard, r, 100)
	must(t, err)
}
