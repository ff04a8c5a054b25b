//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// Promise 6 (P3-MLT-08, P3-MSG-05): a message that turns out different while it
// is sent is cut off. No terminator comes, and no further reply, so that no
// client takes it for whole.
func TestMessageThatChangesIsCutOff(t *testing.T) {
	const megabytes = 32 // more than the sockets hold
	whole := bigMail(megabytes)
	h := newHouse(t)
	file := func() *os.File {
		f, err := os.OpenFile(h.path("cur/1.big:2,"), os.O_RDWR, 0)
		must(t, err)
		return f
	}
	for name, test := range map[string]struct {
		change func()
		// same: what is sent is the message, whole.
		same bool
	}{
		"nothing":      {func() {}, true},
		"flags change": {func() { must(t, os.Rename(h.path("cur/1.big:2,"), h.path("cur/1.big:2,S"))) }, true},
		"removed":      {func() { must(t, os.Remove(h.path("cur/1.big:2,"))) }, true}, // it is open, and whole
		"replaced":     {func() { h.put("cur/1.big:2,", "Subject: other\n\nx\n") }, true},
		"unreadable":   {func() { must(t, os.Chmod(h.path("cur/1.big:2,"), 0)) }, true},
		"shrinks":      {func() { must(t, os.Truncate(h.path("cur/1.big:2,"), megabytes<<20-1000)) }, false},
		"emptied":      {func() { must(t, os.Truncate(h.path("cur/1.big:2,"), 0)) }, false},
		"grows": {func() {
			f := file()
			defer f.Close()
			_, err := f.Seek(0, io.SeekEnd)
			must(t, err)
			_, err = io.WriteString(f, "more\n")
			must(t, err)
		}, false},
		"same length, other octets": {func() {
			f := file()
			defer f.Close()
			_, err := f.WriteAt([]byte(strings.Repeat("#", 70)), lineAt(megabytes<<20-100_000))
			must(t, err)
		}, false},
		"line ends change": {func() {
			f := file()
			defer f.Close()
			_, err := f.WriteAt([]byte("\n\n"), megabytes<<20-100_000)
			must(t, err)
		}, false},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			for _, old := range h.names() {
				must(t, os.Remove(h.path(old)))
			}
			h.put("cur/1.big:2,", whole)
			p := h.serve()
			c := h.login(p)
			c.send("RETR 1\r\nNOOP\r\n")
			first := c.line()
			if !strings.HasPrefix(first, "+OK") {
				t.Fatal(first)
			}
			aFew(t, c.r)
			test.change()
			var rest strings.Builder
			if test.same {
				for !strings.HasSuffix(rest.String(), "\r\n.\r\n+OK nothing done\r\n") {
					line, err := c.r.ReadString('\n')
					rest.WriteString(line)
					if err != nil {
						t.Fatalf("ends with %.60q: %v", tail(rest.String()), err)
					}
				}
				want := strings.ReplaceAll(whole, "\n", "\r\n")[100:]
				if got := strings.TrimSuffix(rest.String(), ".\r\n+OK nothing done\r\n"); got != want {
					t.Errorf("%d octets, want %d", len(got), len(want))
				}
				c.ok("QUIT")
			} else if got := c.closed(); strings.Contains(got, "\r\n.\r\n") || strings.Contains(got, "+OK") {
				t.Errorf("ends with %q", tail(got))
			}
			// The next session serves what is there now.
			d := h.login(p)
			for n := range d.ids() {
				if line := d.say(fmt.Sprint("LIST ", n+1)); !strings.HasPrefix(line, "+OK") {
					t.Error(line)
				}
				if name != "unreadable" {
					if got := d.retr(n + 1); strings.HasPrefix(got, "-ERR") {
						t.Errorf("in the next session: %s", got)
					}
				}
			}
			d.ok("QUIT")
			p.end()
		})
	}
}

// lineAt returns where a line of bigMail begins, at or before this octet.
func lineAt(octet int) int64 {
	const header, line = len("Subject: big\n\n"), 71
	return int64(octet - (octet-header)%line)
}

func tail(s string) string { return s[max(0, len(s)-80):] }
