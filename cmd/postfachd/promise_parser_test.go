//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
)

// Promise 21 (P3-SYN-05, P3-SYN-14, P3-SYN-15, P3-SYN-21, P3-SYN-22): what is
// not a command to the letter is refused, has no effect, and the session goes
// on.
func TestWhatIsNotACommandHasNoEffect(t *testing.T) {
	h := newHouse(t)
	for n := range 3 {
		h.put(fmt.Sprintf("new/%d.x", n), "Subject: x\r\n\r\n")
	}
	p := h.serve()
	want := h.listed(p)
	c := h.login(p)
	for _, keyword := range []string{"DELE ", "RETR ", "LIST ", "UIDL "} {
		for _, number := range []string{
			"+1", "-1", "0x1", "1_0", "1e0", "1.0", "01x", "0b1", "0o1", "1 2", "1,2", "1;", "\t1", "1\t", "1\x00", "\x001", "\x7f1",
			"4294967297", "4294967298", "18446744073709551617", "340282366920938463463374607431768211457", "99999999999999999999",
			"2147483649", "0", "00", "4", "\u0661", "\u00b9", "\uff11", "''1", "$1", "%31", "1\r", "\"1\"", "(1)", "a", "*", "all",
		} {
			c.refused(keyword + number)
			c.ok("NOOP") // and it was one reply
		}
	}
	for _, line := range []string{
		"", " ", "  NOOP", " DELE 1", "\tDELE 1", "DELE\t1", "DELE", "DELE ", "DELE1", "DELETE 1", "DEL 1", "DELE:1", "DELE=1",
		"TOP 1", "TOP 1 -1", "TOP 1 +1", "TOP 1 x", "TOP 1 1 1", "TOP 1 4294967296", "RSET now", "STAT 1", "QUIT 1", "QUIT\x00", "QUI",
		"QUITT", "\u017fTAT", "QU\u0130T", "QU\u0131T", "DELE\u00a01", "DELE\u30001", "\xc4\xd0LE 1", "\x00DELE 1", "DELE 1\rQUIT", "\rDELE 1",
		"A:B", "USER x", "PASS x", "AUTH PLAIN", "STLS", "UTF8", "XTND", "RPOP x", "%s%n", "../../etc/passwd", "+OK", ".", "..",
	} {
		c.refused(line)
		c.ok("NOOP")
	}
	if got := c.ok("STAT"); got != "+OK 3 42" {
		t.Errorf("STAT after all that: %s", got)
	}
	for _, line := range []string{"noop", "NoOp", "dele 1", "rSeT", "list 1", "NOOP "} { // P3-SYN-02, AMB-01
		c.ok(line)
	}
	c.ok("QUIT")
	c.closed()
	if got := h.listed(p); !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	p.end()
}

// Promise 21 (P3-SYN-08): a line that is too long is refused once, and nothing
// in its tail is a command, wherever the buffers end.
func TestTailOfALongLineIsNoCommand(t *testing.T) {
	h := newHouse(t)
	for n := range 3 {
		h.put(fmt.Sprintf("new/%d.x", n), "Subject: x\r\n\r\n")
	}
	p := h.serve()
	want := h.listed(p)
	// Every length around the places where a reader could begin anew.
	var lengths []int
	for _, edge := range []int{255, 512, 1024, 2048, 4096, 8192, 12 << 10, 16 << 10, 32 << 10, 64 << 10, 1 << 20} {
		for d := -14; d <= 8; d++ {
			lengths = append(lengths, edge+d)
		}
	}
	c := h.login(p)
	for _, n := range lengths {
		for _, glue := range []string{" ", "\r", "\x00"} {
			c.send("NOOP " + strings.Repeat("x", n-5) + glue + "DELE 1\r\nNOOP\r\n")
			if got := c.line(); !strings.HasPrefix(got, "-ERR") {
				t.Fatalf("%d octets: %s", n, got)
			}
			if got := c.line(); !strings.HasPrefix(got, "+OK nothing done") {
				t.Fatalf("after %d octets: %s", n, got)
			}
		}
	}
	if got := c.ok("STAT"); got != "+OK 3 42" {
		t.Errorf("STAT after all that: %s", got)
	}
	// A line that never ends: the connection does, and nothing is done.
	c.send("NOOP " + strings.Repeat("y", 100_000) + " DELE 1")
	c.tcp().CloseWrite()
	c.closed()

	// Before the login, where AUTH has longer lines.
	d := p.dial()
	d.line()
	for _, n := range lengths {
		line := "AUTH PLAIN " + strings.Repeat("A", n)
		d.send(line + " QUIT\r\nCAPA\r\n")
		if got := d.line(); !strings.HasPrefix(got, "-ERR") {
			t.Fatalf("AUTH with %d octets: %.80s", n, got)
		}
		if got := d.line(); !strings.HasPrefix(got, "+OK") {
			t.Fatalf("CAPA after AUTH with %d octets: %s", n, got)
		}
		for d.line() != "." {
		}
	}
	d.ok("QUIT")
	if got := h.listed(p); !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	p.end()
}

// Promise 21 (P3-USR-05): a password is what stands behind "PASS ", octet for
// octet. Names and passwords with octets that mean something elsewhere let
// nobody in and break nothing.
func TestPasswordIsTakenToTheOctet(t *testing.T) {
	h := newHouse(t)
	folder := datafolder.Folder(h.data)
	edit := accounts.Editor{Path: folder.Accounts(), Key: folder.APOPKey()}
	const password = " p  w:x%s\" "
	must(t, edit.Remove("postfach"))
	must(t, edit.Add(accounts.NewAccount{User: "postfach", Password: password}))
	giveToOwner(t, h.data)
	name := filepath.Join(tempDir(t), "postfachd.toml") // what slows guessing down is not at stake here
	must(t, os.WriteFile(name, []byte("[limits]\nfailure_delay = \"10ms\"\naddress_delay = \"10ms\"\n"), 0o644))
	p := h.serve("--config", name)
	type try struct{ user, password string }
	tries := []try{
		{"postfach", "p  w:x%s\""},
		{"postfach", " p  w:x%s\""},
		{"postfach", "p  w:x%s\" "},
		{"postfach", " p w:x%s\" "},
		{"postfach", " P  W:X%S\" "},
		{"postfach", password + "\x00"},
		{"postfach", " p\x00"},
		{"postfach", password + "\r"},
		{"postfach:", password},
		{"postfach:x", password},
		{"A:B", password},
		{"postfach\x00", password},
		{"../postfach", password},
		{"postfach/", password},
		{"postfach ", password},
		{" postfach", password},
		{"post%66ach", password},
		{"postfach\n", password},
		{"*", password},
	}
	answers := make(chan string, len(tries))
	for _, try := range tries { // at the same time
		c := p.dial()
		c.line()
		go func() {
			fmt.Fprintf(c.conn, "USER %s\r\nPASS %s\r\nQUIT\r\n", try.user, try.password)
			got, _ := io.ReadAll(c.r)
			answers <- fmt.Sprintf("%q: %q", try, got)
		}()
	}
	for range tries {
		if got := <-answers; strings.Contains(got, "maildrop has") {
			t.Errorf("let in: %s", got)
		}
	}
	for _, end := range []string{"\r\n", "\n"} { // P3-SYN-24
		c := p.dial()
		c.line()
		c.send("user postfach" + end)
		c.line()
		c.send("pass " + password + end)
		if got := c.line(); !strings.HasPrefix(got, "+OK") {
			t.Errorf("the password itself: %s", got)
		}
		c.ok("QUIT")
		c.closed()
	}
	if log := p.stderr.String(); strings.Contains(log, "p  w:x") || strings.Contains(log, "panic") {
		t.Errorf("log:\n%s", log)
	}
	p.end()
}
