//go:build unix

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"postfach/maildrop/maildir"
)

// Promise 5 (P3-LCK-07, P3-LCK-08, P3-MSG-02): numbers, sizes and unique-ids are
// those of the login, whatever happens to the files meanwhile. New mail waits
// for the next session, and no number ever means another message.
func TestSessionIsFixedAtLogin(t *testing.T) {
	h := newHouse(t)
	for n := range 6 {
		h.put(fmt.Sprintf("new/%d.x", 100+n), fmt.Sprintf("Subject: %d\r\n\r\n%s\r\n", n, strings.Repeat("z", n)))
	}
	p := h.serve()
	c := h.login(p)
	stat, list, uidl := c.ok("STAT"), c.multi("LIST"), c.multi("UIDL")

	store := &maildir.Store{Path: func(string) (string, error) { return h.mail, nil }}
	late, err := store.Deliver(t.Context(), "postfach", strings.NewReader("Subject: late\n\n"))
	must(t, err)
	for _, name := range h.names() {
		h.own(h.path(name))
	}
	h.put("cur/050.early:2,", "Subject: early\r\n\r\n") // it sorts before all others
	must(t, os.Rename(h.path("new/100.x"), h.path("cur/100.x:2,S")))
	must(t, os.Rename(h.path("cur/100.x:2,S"), h.path("cur/100.x:2,FS")))
	must(t, os.Remove(h.path("new/102.x")))
	must(t, os.Remove(h.path("new/103.x")))
	h.put("new/103.x", "Subject: stranger\r\n\r\n") // another message under the name of one that is gone

	again := func(when string) {
		t.Helper()
		if s, l, u := c.ok("STAT"), c.multi("LIST"), c.multi("UIDL"); s != stat || !slices.Equal(l, list) || !slices.Equal(u, uidl) {
			t.Errorf("%s: %s %q %q, at login %s %q %q", when, s, l, u, stat, list, uidl)
		}
	}
	again("after other programs were here")
	for _, n := range []int{0, 1, 4, 5} {
		want := fmt.Sprintf("Subject: %d\r\n\r\n%s\r\n", n, strings.Repeat("z", n))
		if got := c.retr(n + 1); got != want {
			t.Errorf("message %d is %q, want %q", n+1, got, want)
		}
	}
	c.refused("RETR 3")
	c.refused("RETR 4")
	c.refused("RETR 7")
	again("after RETR")
	for n := range 6 {
		if n != 4 {
			c.ok(fmt.Sprint("DELE ", n+1))
		}
	}
	// The stranger is not what was marked: it stays, and QUIT does not claim
	// otherwise.
	if got := c.refused("QUIT"); !strings.Contains(got, "1 deleted messages not removed") {
		t.Errorf("QUIT: %s", got)
	}
	c.closed()
	c = h.login(p)
	texts := c.texts()
	if len(texts) != 4 || texts["050.early"] == "" || texts[string(late)] != "Subject: late\r\n\r\n" || !strings.HasPrefix(texts["104.x"], "Subject: 4") {
		t.Errorf("in the next session: %q", texts)
	}
	p.end()
}
