package tui

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/explore"
	"postfach/pop3test"
)

// A person finds the message, marks it, changes their mind, marks another, and
// deletes just that one.
func TestExactlyTheMarkedMessageIsDeleted(t *testing.T) {
	srv := pop3test.NewServer(t)
	ids := put(t, srv, plainMail("first"), plainMail("second"), plainMail("third"))
	s := open(t, srv, 100, 30)
	s.until("first", "second", "third")
	s.keys("home", "d", "up", "u") // marked, and taken back
	s.keys("home", "down", "space")
	s.until("1 marked D")
	s.keys("D")
	s.until("1 message", "will be deleted for good", "second", "type yes")
	if s.shows("first") {
		t.Errorf("the staged list has a message that is not marked:\n%s", s.text())
	}
	s.keys("no", "enter")
	s.until("nothing is deleted yet")
	if got := remaining(t, srv); len(got) != 3 {
		t.Fatalf("something was deleted before yes: %q", got)
	}
	s.keys("yes", "enter")
	s.until("Deleted: the server confirmed", "second", "AWAY")
	if got, want := remaining(t, srv), []string{string(ids[0]), string(ids[2])}; len(got) != 2 || string(got[0]) != want[0] || string(got[1]) != want[1] {
		t.Errorf("the maildrop has %q, want %q", got, want)
	}
	s.keys("P")
	s.until("DELE 2", "QUIT")
	s.keys("esc", "r")
	s.until("HELD", "2 messages")
}

func TestUndoUntilCommit(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"))
	s := open(t, srv, 80, 24)
	s.keys("home", "d", "d")
	s.until("2 marked D")
	s.keys("D")
	s.until("type yes")
	s.keys("esc")
	s.until("nothing was deleted")
	s.keys("U")
	s.until("2 marks taken away")
	s.keys("D")
	s.until("nothing is marked")
	if got := remaining(t, srv); len(got) != 2 {
		t.Errorf("the maildrop has %q", got)
	}
}

func TestLeavingWithMarksAsks(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	s := open(t, srv, 80, 24)
	s.keys("d", "q")
	s.until("1 message marked for deletion", "nothing is deleted")
	s.keys("enter") // stay
	if s.quit || !s.shows("1 marked D") {
		t.Fatalf("the list is not back:\n%s", s.text())
	}
	s.keys("q", "down", "enter")
	s.when("it leaves", func() bool { return s.quit })
	if got := remaining(t, srv); len(got) != 1 {
		t.Errorf("leaving deleted something: %q", got)
	}
}

func TestLeavingWithoutMarksDoesNotAsk(t *testing.T) {
	srv := pop3test.NewServer(t)
	s := open(t, srv, 80, 24)
	s.keys("q")
	s.when("it leaves", func() bool { return s.quit })
}

// The password is asked for, hidden, and again when the server refuses it.
func TestPasswordPrompt(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	a := account(srv.AddrTLS, srv.Roots)
	a.Password = nil
	s := newStage(t, explore.Picker{Accounts: []explore.Account{a}}, 80, 24)
	s.until("somebody", "Whose mailbox")
	s.keys("enter")
	s.until("password for")
	s.keys("wrong")
	if s.shows("wrong") {
		t.Errorf("the password is on the screen:\n%s", s.text())
	}
	s.keys("enter")
	s.until("! ", "password for")
	s.keys(pop3test.Password, "enter")
	s.until("HELD", "first")
}

func TestTypedAccount(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	p := explore.Picker{Parse: func(typed string) (explore.Account, error) {
		if typed != "me@example.org" {
			return explore.Account{}, fmt.Errorf("%q is no account", typed)
		}
		return account(srv.AddrTLS, srv.Roots), nil
	}}
	s := newStage(t, p, 80, 24)
	s.until("other…")
	s.keys("enter", "rubbish", "enter")
	s.until("is no account")
	s.keys("ctrl+u", "me@example.org", "enter")
	s.until("HELD", "first")
}

func TestRefusedConnectionGoesBackToTheAccounts(t *testing.T) {
	srv := pop3test.NewServer(t)
	a := account(srv.AddrTLS, srv.Roots)
	srv.Close()
	s := newStage(t, explore.Picker{Accounts: []explore.Account{a}}, 80, 24)
	s.keys("enter")
	s.until("! ", "refused", "Whose mailbox")
}

func TestSearchAndSort(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("zebra"), plainMail("apple "+strings.Repeat("x", 200)), plainMail("mango"))
	s := open(t, srv, 160, 40)
	s.until("zebra", "apple", "mango")
	s.keys("end")
	s.keys("5") // by subject
	s.until("subject↑")
	if at := s.a.list.at; at != 1 {
		t.Errorf("the cursor is at line %d, want 1: it stays on its message", at)
	}
	frame := s.text()
	if strings.Index(frame, "apple") > strings.Index(frame, "zebra") {
		t.Errorf("not sorted:\n%s", frame)
	}
	s.keys("2", "o")
	s.until("size↓")
	s.keys("/", "man")
	s.until("search: man", "mango", "1 found")
	if s.shows("zebra") {
		t.Errorf("the search found too much:\n%s", s.text())
	}
	s.keys("enter", "d", "esc")
	s.until("zebra", "1 marked D")
	s.keys("m")
	s.until("marked messages only")
	if s.shows("zebra") {
		t.Errorf("not only marked messages:\n%s", s.text())
	}
}

// blocksAt2: whoever looks at the second message loses the connection.
func blocksAt2() []string {
	return []string{`{"on":"TOP","match":"^TOP 2 ","drop-after":0}`, `{"on":"RETR","match":"^RETR 2$","drop-after":40}`}
}

// misbehave has the server follow rules.
func misbehave(t *testing.T, srv *pop3test.Server, rules ...string) {
	t.Helper()
	for _, text := range rules {
		r, err := pop3test.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		fault, err := r.Fault()
		if err != nil {
			t.Fatal(err)
		}
		srv.Use(fault)
	}
}

// The message that ends the connection when anybody reads it can still be deleted.
func TestBlockingMessageIsDeletable(t *testing.T) {
	srv := pop3test.NewServer(t)
	ids := put(t, srv, plainMail("first"), plainMail("blocks"), plainMail("third"))
	misbehave(t, srv, blocksAt2()...)
	s := open(t, srv, 100, 30)
	s.when("the list is back and tells of the message", func() bool {
		if s.a.job == nil && s.a.status.State == explore.Away {
			s.keys("r")
		}
		return s.shows("cannot be looked at")
	})
	s.when("the mailbox is open", func() bool {
		if s.a.job == nil && s.a.status.State == explore.Away {
			s.keys("r")
		}
		return s.shows("HELD")
	})
	s.keys("n", "home", "down", "space", "D")
	s.until("cannot be looked at", "type yes")
	s.keys("yes", "enter")
	s.until("Deleted: the server confirmed")
	if got := remaining(t, srv); len(got) != 2 || slices.Contains(got, ids[1]) {
		t.Errorf("the maildrop has %q", got)
	}
}

// The answer to QUIT is lost: nobody knows, and the screen says so.
func TestUnknownOutcomeIsSaid(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"))
	misbehave(t, srv, `{"on":"QUIT","times":1,"drop-after":0}`)
	s := open(t, srv, 100, 30)
	s.until("second")
	s.keys("home", "d", "D", "yes", "enter")
	s.until("Not known: the server did not answer", "first")
	if s.shows("Deleted: the server confirmed") {
		t.Errorf("nobody confirmed anything:\n%s", s.text())
	}
}

func TestRefusedDeletionIsSaid(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"))
	misbehave(t, srv, `{"on":"DELE","match":"^DELE 1$","reply":"-ERR not this one\r\n"}`)
	s := open(t, srv, 100, 30)
	s.until("second")
	s.keys("home", "d", "d", "D", "yes", "enter")
	s.until("Left alone, still there", "not this one", "Deleted: the server confirmed that this message is gone")
	if got := remaining(t, srv); len(got) != 1 {
		t.Errorf("the maildrop has %q", got)
	}
}

// ctrl+c leaves at once without marks, asks with them, and the second one leaves
// in any case.
func TestInterrupt(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	s := open(t, srv, 80, 24)
	s.keys("d", "ctrl+c")
	s.until("1 message marked for deletion")
	s.keys("ctrl+c")
	s.when("it leaves", func() bool { return s.quit })
	if got := remaining(t, srv); len(got) != 1 {
		t.Errorf("the maildrop has %q", got)
	}
}

// Nobody marks anything where deleting is not allowed.
func TestReadOnly(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	a := account(srv.AddrTLS, srv.Roots)
	a.ReadOnly = true
	s := newStage(t, explore.Picker{Start: &a}, 80, 24)
	s.until("HELD", "read only", "first")
	s.keys("d")
	s.until("! ", "reading only")
}

// A message that comes while the cursor rests does not move the cursor to another
// message, and nor does a new order.
func TestCursorStaysOnItsMessage(t *testing.T) {
	srv := pop3test.NewServer(t)
	ids := put(t, srv, plainMail("c"), plainMail("a"), plainMail("b"))
	s := open(t, srv, 100, 30)
	s.until("b")
	s.keys("home", "down") // a
	for _, sort := range []string{"5", "o", "4", "2", "1", "o"} {
		s.keys(sort)
		if got := s.a.list.under().ID; got != ids[1] {
			t.Errorf("after %s the cursor is on %q, want %q", sort, got, ids[1])
		}
	}
}

func TestLetGoAndComeBackKeepMarks(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"))
	s := open(t, srv, 100, 30)
	s.until("first")
	s.keys("home", "d", "l")
	s.until("AWAY", "your mail program can get in", "1 marked D", letGoTold)
	put(t, srv, plainMail("third"))
	s.keys("r")
	s.until("HELD", "third", "1 marked D")
}

func TestIdleReleaseIsTold(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	a := account(srv.AddrTLS, srv.Roots)
	s := newStage(t, explore.Picker{Start: &a, Options: explore.Options{Idle: 300 * time.Millisecond}}, 100, 30)
	s.until("AWAY", "! let go")
	s.keys("n")
	s.when("the notice is gone", func() bool { return !s.shows("! let go") })
	s.keys("r")
	s.until("HELD")
}

func TestLostConnectionKeepsMarks(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second "+strings.Repeat("x", 300)))
	misbehave(t, srv, `{"on":"RETR","times":1,"drop-after":80}`)
	s := open(t, srv, 100, 30)
	s.until("second")
	s.keys("home", "d", "enter")
	s.until("! ", "1 marked D")
	if got := remaining(t, srv); len(got) != 2 {
		t.Errorf("a lost connection deleted something: %q", got)
	}
	s.when("it is away or back", func() bool { return s.a.job == nil })
	s.keys("r")
	s.until("HELD", "1 marked D")
}

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}
