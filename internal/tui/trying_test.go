package tui

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/explore"
	"postfach/maildrop/memory"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

// stranger is the test server's account for somebody who does not know who signed
// its certificate.
func stranger(srv *pop3test.Server, trusted bool) explore.Account {
	a := account(srv.AddrTLS, srv.Roots)
	if trusted {
		return a
	}
	a.Dial = func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
		nobody := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
		c, err := pop3client.Dial(ctx, srv.AddrTLS, &pop3client.Options{TLS: nobody, Trace: trace})
		if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return nil, &explore.UntrustedError{Pin: "abcd", Certificate: wrong.UnverifiedCertificates[0], Err: wrong.Err}
		}
		return c, err
	}
	a.Trust = func(pin string) explore.Account { return stranger(srv, pin == "abcd") }
	return a
}

// A certificate that proves nothing is shown, and trusted only after a yes. What
// was typed is not lost.
func TestUntrustedCertificateIsAskedAbout(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	for _, hasPassword := range []bool{true, false} {
		t.Run(fmt.Sprintf("password %v", hasPassword), func(t *testing.T) {
			p := explore.Picker{Parse: func(string) (explore.Account, error) {
				a := stranger(srv, false)
				if !hasPassword {
					a.Password = nil
				}
				trust := a.Trust
				a.Trust = func(pin string) explore.Account {
					trusted := trust(pin)
					trusted.Password = a.Password
					return trusted
				}
				return a, nil
			}}
			s := newStage(t, p, 100, 40)
			open := func() {
				s.keys("enter")
				if !hasPassword {
					s.until("password for")
					s.keys(pop3test.Password, "enter")
				}
				s.until("could not prove who it is", "certificate ", "signed by", "valid until", "pin (SHA-256)", "type yes to trust")
			}
			s.keys("enter", "me@example.org")
			open()
			s.keys("esc")
			s.until("Whose mailbox", "me@example.org")
			open()
			s.keys("no", "enter")
			s.until("it is not trusted")
			s.keys("yes", "enter")
			s.until("HELD", "first")
		})
	}
}

func TestTypedAddressIsKeptAfterAnError(t *testing.T) {
	srv := pop3test.NewServer(t)
	a := account(srv.AddrTLS, srv.Roots)
	srv.Close()
	s := newStage(t, explore.Picker{Parse: func(string) (explore.Account, error) { return a, nil }}, 80, 24)
	s.keys("enter", "me@exmaple.org", "enter")
	s.until("! ", "refused", "me@exmaple.org")
	s.keys("esc", "enter")
	s.until("account (", "me@exmaple.org")
}

// A message that ended the session once is not looked at again unasked.
func TestMessageThatEndsTheSessionIsNotPreviewedAgain(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"), plainMail("third"))
	misbehave(t, srv, `{"on":"TOP","match":"^TOP 2 [1-9]","drop-after":40}`, `{"on":"RETR","match":"^RETR 2$","drop-after":40}`)
	s := open(t, srv, 100, 40)
	s.until("first", "third")
	s.keys("home", "down")
	s.until("! ", "cannot be looked at")
	if n := strings.Count(s.text(), "chokes on"); n != 1 {
		t.Errorf("what to do is said %d times:\n%s", n, s.text())
	}
	s.when("it is away or back", func() bool { return s.a.job == nil })
	for range 2 {
		s.keys("r")
		s.when("it is open", func() bool { return s.a.job == nil && s.a.status.State == explore.Held })
		s.keys("up")
		s.until("The text of first")
		s.keys("down")
		s.until("cannot be looked at")
		s.keys("down")
		s.until("The text of third")
		if s.a.status.State != explore.Held {
			t.Fatalf("the connection is lost again:\n%s", s.text())
		}
		s.keys("up")
	}
}

func TestOpenedWhileAwayHasItsNumber(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"))
	s := open(t, srv, 80, 24)
	s.until("second")
	s.keys("end", "l")
	s.until("AWAY", letGoTold)
	s.keys("enter")
	s.until("· message 2", "The text of second")
}

func TestExportUnderstandsATypedForm(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	s := open(t, srv, 160, 30)
	s.until("first")
	place := filepath.Join(t.TempDir(), "kept")
	s.keys("x", "enter", "enter", "ctrl+u", "mbox:"+place, "enter")
	s.until("1 message exported as mbox to " + place)
	if got := mustRead(t, place); !strings.HasPrefix(got, "From ") {
		t.Errorf("that is no mbox: %q", got)
	}
}

func TestReadOnlyMaildropSaysHowToWrite(t *testing.T) {
	store := memory.New()
	store.Create("someone")
	if _, err := store.Deliver(t.Context(), "someone", strings.NewReader(plainMail("first"))); err != nil {
		t.Fatal(err)
	}
	a := explore.Local(store, "someone", "memory", false)
	s := newStage(t, explore.Picker{Start: &a}, 100, 30)
	s.until("HELD", "first", "its owner's mail program")
	for _, k := range []string{"D", "d", "space"} {
		s.keys(k)
		s.until("reading only", "--write")
	}
}

// Space twice changes nothing; d goes on.
func TestSpaceTogglesInPlace(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"))
	s := open(t, srv, 80, 24)
	s.until("second")
	s.keys("home", "space")
	s.until("1 marked D")
	if s.a.list.at != 0 {
		t.Errorf("the cursor is at line %d", s.a.list.at)
	}
	s.keys("space")
	if s.a.status.Marked != 0 || s.a.list.at != 0 {
		t.Errorf("%d marked, the cursor at line %d", s.a.status.Marked, s.a.list.at)
	}
	s.keys("d")
	if s.a.status.Marked != 1 || s.a.list.at != 1 {
		t.Errorf("%d marked, the cursor at line %d", s.a.status.Marked, s.a.list.at)
	}
}

// The whole protocol: pages, both ends, and the trouble in it.
func TestWireFindsTrouble(t *testing.T) {
	srv := pop3test.NewServer(t)
	for i := range 30 {
		put(t, srv, plainMail(fmt.Sprint("number ", i)))
	}
	misbehave(t, srv, `{"on":"RETR","times":1,"reply":"-ERR come back later\r\n"}`)
	s := open(t, srv, 100, 24)
	s.when("the headers are there", func() bool { return s.a.status.Known == 30 })
	s.keys("home", "enter")
	s.until("come back later")
	s.keys("end", "enter")
	s.until("The text of number 29")
	s.keys("esc", "P", "home")
	s.until("The server greets", "on the wire (")
	s.keys("pgdown")
	if s.shows("POP3 server ready") {
		t.Errorf("a page down leaves the beginning on the screen:\n%s", s.text())
	}
	s.keys("end")
	if s.shows("on the wire (") {
		t.Errorf("not at the end:\n%s", s.text())
	}
	s.keys("e")
	s.until("-ERR come back later")
	s.keys("E")
	s.until("no refusal")
}

// On the smallest screen that is usual, six messages are seen whatever else is
// said.
func TestSixMessagesOnASmallScreen(t *testing.T) {
	srv := pop3test.NewServer(t)
	for i := range 20 {
		put(t, srv, plainMail(fmt.Sprint("number ", i)))
	}
	s := open(t, srv, 40, 12)
	s.until("number 0")
	six := func(when string) {
		t.Helper()
		if n := strings.Count(s.text(), "number "); n < 6 {
			t.Errorf("%s: %d messages are seen:\n%s", when, n, s.text())
		}
	}
	six("at first")
	s.keys("/", "number")
	six("with a search")
	s.keys("esc")
	s.a.status.Notice = strings.Repeat("the connection was lost; nothing was deleted; ", 5)
	if !s.shows("…", "n dismiss", "N more") {
		t.Errorf("the notice lacks something:\n%s", s.text())
	}
	six("with a notice")
	s.a.refreshStatus()
	for range 12 {
		s.keys("d")
	}
	s.keys("D")
	s.until("12 messages", "octets", "type yes")
	if !s.shows("number 0") {
		t.Errorf("what will be deleted is not seen:\n%s", s.text())
	}
	s.keys("pgdown", "pgdown", "pgdown", "pgdown", "pgdown", "pgdown")
	if !s.shows("number 11", "type yes") {
		t.Errorf("the list of what will be deleted does not scroll:\n%s", s.text())
	}
}

func TestTooSmallIsSaidWhereItFits(t *testing.T) {
	s := newStage(t, explore.Picker{}, 20, 5)
	if !s.shows("window too small", "ctrl+c leaves") {
		t.Errorf("the screen:\n%s", s.text())
	}
}

// Marks never end without a word.
func TestLeavingSaysThatMarksAreForgotten(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	s := open(t, srv, 40, 12)
	s.until("first")
	for _, k := range []string{"q", "ctrl+c"} {
		s.keys("home", "d", k)
		s.until("nothing is deleted", "forgotten", "stay")
		s.keys("enter")
	}
	var out strings.Builder
	s.a.sayForgotten(&out)
	if want := "1 mark forgotten; leaving deleted nothing\n"; out.String() != want {
		t.Errorf("at the end it says %q, want %q", out.String(), want)
	}
}

// ctrl+c that stops work is not yet one that leaves.
func TestInterruptedWorkDoesNotHideTheQuestion(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	misbehave(t, srv, `{"on":"RETR","stall-after":0}`)
	s := open(t, srv, 80, 24)
	s.until("first")
	s.keys("d", "home", "enter", "ctrl+c")
	s.until("ctrl+c again leaves", "1 mark will be forgotten")
	s.when("the work has ended", func() bool { return s.a.job == nil })
	s.keys("ctrl+c")
	s.until("1 message marked for deletion")
	if s.quit {
		t.Error("it has left")
	}
}

func TestSavingNamesTheFolder(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, srv, 160, 30)
	s.until("first")
	s.keys("w", "ctrl+u", "mine.eml", "enter")
	s.until("saved mine.eml in " + here)
}
