package tui

import (
	"fmt"
	"strings"
	"testing"

	"postfach/internal/explore"
	"postfach/pop3test"
)

func TestHelpNamesEveryKey(t *testing.T) {
	srv := pop3test.NewServer(t)
	s := open(t, srv, 80, 120)
	keys := s.a.list.keys(s.a)
	s.keys("?")
	s.until("Keys here", "How it works")
	for _, k := range append(keys, everywhere(s.a)...) {
		if !s.shows(string(k.label())) {
			t.Errorf("the help does not name %q", k.label())
		}
		if k.help == "" && k.does == "" {
			t.Errorf("%q does nothing that could be told", k.on)
		}
	}
}

func TestKeysAreNotTakenTwice(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	s := open(t, srv, 80, 24)
	check := func() {
		seen := map[string]bool{}
		for _, k := range s.a.top().keys(s.a) {
			for _, on := range strings.Fields(k.on) {
				if seen[on] {
					t.Errorf("%T: %q is taken twice", s.a.top(), on)
				}
				seen[on] = true
			}
		}
	}
	check()
	s.keys("enter")
	s.until("· message 1", "The text of first")
	check()
	s.keys("S")
	s.until("␍␊")
	check()
	s.keys("esc", "t")
	s.until("1 part of", "text/plain")
	check()
	s.keys("esc", "esc", "d", "D")
	s.until("type yes")
	check()
}

// Each screen works in each size.
func TestSmallAndLargeWindows(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), withAttachment)
	for _, size := range [][2]int{{40, 12}, {30, 8}, {80, 24}, {200, 60}, {10, 3}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			a := account(srv.AddrTLS, srv.Roots)
			s := newStage(t, explore.Picker{Start: &a}, size[0], size[1])
			s.when("it is open", func() bool { return s.a.list != nil && s.a.job == nil && s.a.status.Known == 2 })
			if size[0] >= 40 && !s.shows("HELD", "first", "? help") {
				t.Errorf("the list lacks something:\n%s", s.text())
			}
			settled := func() { s.when("the work is done", func() bool { return s.a.job == nil }) }
			s.keys("p", "home", "d", "D", "esc", "?", "end", "home", "esc", "i", "end", "esc", "/", "x", "esc")
			s.keys("end", "enter")
			settled()
			s.keys("h", "end", "t", "end", "esc", "S", "right", "left", "end", "esc", "esc", "x", "enter", "esc", "esc", "P", "esc", "U", "q")
			if !s.quit {
				s.when("it leaves", func() bool { return s.quit })
			}
		})
	}
}

// Whoever reads one line sees the mark without colours.
func TestMarkHasASign(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	s := open(t, srv, 40, 12)
	s.until("first")
	s.keys("d")
	s.until("1 D ")
}

func TestEscStopsAJob(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	misbehave(t, srv, `{"on":"RETR","stall-after":0}`)
	s := open(t, srv, 80, 24)
	s.until("first")
	s.keys("enter")
	s.until("working (esc stops): loading the message")
	s.keys("esc")
	s.until("! ")
	s.when("the job has ended", func() bool { return s.a.job == nil })
	if got := remaining(t, srv); len(got) != 1 {
		t.Errorf("the maildrop has %q", got)
	}
}
