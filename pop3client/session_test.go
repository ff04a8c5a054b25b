package pop3client

import (
	"errors"
	"slices"
	"testing"

	"postfach/internal/transcript"
	"postfach/pop3"
)

const session = `S: +OK ready <1896.697170952@mail.test>
C: CAPA
S: +OK list follows
S: top
S: UIDL
S: X-ODD 1 2
S: .
C: USER u
S: +OK
C: PASS p w
S: +ok maildrop open
C: CAPA
S: -ERR what?
C: STAT
S: +OK 2 5000000320 (hello)
C: LIST
S: +OK 77 messages
S: 1 120 extra
S: 3 5000000200
S: .
C: LIST 3
S: +OK 3 5000000200
C: UIDL
S: +OK
S: 1 abc
S: +OK 3   ABC
S: .
C: UIDL 1
S: +OK 1 abc
C: RETR 1
S: +OK 99999999 octets
S: Subject: one
S: \x20
S: ..
S: ...two
S: last
S: .
C: TOP 3 0
S: +OK
S: Subject: three
S: \x20
S: .
C: LAST
S: +OK 3 is the last read message.
C: NOOP
S: +OK
C: DELE 1
S: +OK
C: RSET
S: +OK
C: LANG
S: +OK
S: en English
S: de Deutsch
S: .
C: LANG de
S: +OK de Sprache ist jetzt Deutsch
C: DELE 1
S: +OK
C: DELE 1
S: -ERR [SYS/TEMP/DISK] message 1 already deleted
C: QUIT
S: +OK bye
(close)
`

// TestSession says everything once; the server sends whole lines, then one
// octet at a time (P3-MLT-06).
func TestSession(t *testing.T) {
	for _, octet := range []bool{false, true} {
		conn := play(t, session, transcript.Options{Octet: octet})
		c, err := New(t.Context(), conn, nil)
		if err != nil {
			t.Fatal(err)
		}
		testSession(t, c)
	}
}

func testSession(t *testing.T, c *Client) {
	ctx := t.Context()
	if !c.Capabilities().Has(pop3.CapTop) || !c.Capabilities().Has("x-odd") {
		t.Errorf("capabilities: %v", c.Capabilities())
	}
	check(t, c.Login(ctx, "u", "p w"))
	stat, err := c.Stat(ctx)
	check(t, err)
	equal(t, stat, pop3.DropListing{Count: 2, Size: 5000000320})
	list, err := c.List(ctx)
	check(t, err)
	equal(t, slices.Equal(list, []pop3.ScanListing{{Number: 1, Size: 120}, {Number: 3, Size: 5000000200}}), true)
	one, err := c.ListOne(ctx, 3)
	check(t, err)
	equal(t, one, pop3.ScanListing{Number: 3, Size: 5000000200})
	ids, err := c.UIDL(ctx)
	check(t, err)
	equal(t, slices.Equal(ids, []pop3.IDListing{{Number: 1, ID: "abc"}, {Number: 3, ID: "ABC"}}), true)
	id, err := c.UIDLOne(ctx, 1)
	check(t, err)
	equal(t, id, pop3.IDListing{Number: 1, ID: "abc"})
	m, err := c.Retr(ctx, 1)
	check(t, err)
	equal(t, m.Size, 120)
	if err := c.Noop(ctx); !errors.Is(err, ErrBusy) {
		t.Errorf("NOOP inside a message: %v", err)
	}
	equal(t, body(t, m), "Subject: one\r\n \r\n.\r\n..two\r\nlast\r\n")
	m, err = c.Top(ctx, 3, 0)
	check(t, err)
	equal(t, body(t, m), "Subject: three\r\n \r\n")
	last, err := c.Last(ctx)
	check(t, err)
	equal(t, last, 3)
	check(t, c.Noop(ctx))
	check(t, c.Dele(ctx, 1))
	check(t, c.Rset(ctx))
	languages, err := c.LangList(ctx)
	check(t, err)
	equal(t, slices.Equal(languages, []Language{{"en", "English"}, {"de", "Deutsch"}}), true)
	tag, err := c.Lang(ctx, "de")
	check(t, err)
	equal(t, tag, "de")
	check(t, c.Dele(ctx, 1))
	err = c.Dele(ctx, 1)
	if !errors.Is(err, &pop3.Error{Code: pop3.CodeSysTemp}) {
		t.Errorf("second DELE: %v", err)
	}
	check(t, c.Quit(ctx))
	equal(t, c.State(), pop3.Update)
	if err := c.Noop(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("NOOP after QUIT: %v", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
