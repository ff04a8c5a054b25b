package pop3test_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"postfach/internal/transcript"
	"postfach/pop3test"
)

// Two messages of 28 and 22 octets.
const (
	first  = "Subject: one\r\n\r\n.dot\r\nline\r\n"
	second = "Subject: two\r\n\r\nbody\r\n"
)

// login is how conversations begin.
const login = `
S: +OK
C: USER user
S: +OK
C: PASS p w
S: +OK
`

// newServer has two messages.
func newServer(t *testing.T) *pop3test.Server {
	t.Helper()
	srv := pop3test.NewServer(t)
	put(t, srv, first)
	put(t, srv, second)
	return srv
}

func put(t *testing.T, srv *pop3test.Server, message string) {
	t.Helper()
	if _, err := srv.Put(pop3test.User, message); err != nil {
		t.Fatal(err)
	}
}

// play has a conversation with the server.
func play(t *testing.T, srv *pop3test.Server, script string) {
	t.Helper()
	s, err := transcript.Parse(t.Name(), strings.TrimPrefix(script, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := net.Dial("tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := transcript.Play(ctx, conn, s, transcript.Options{TLS: srv.ClientTLS()}); err != nil {
		t.Error(err)
	}
}

func TestPersonalities(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"minimal": `
S: +OK ready
C: CAPA
S: -ERR unknown command
C: STLS
S: -ERR unknown command
C: AUTH PLAIN
S: -ERR unknown command
C: USER user
S: +OK
C: PASS wrong
S: -ERR {word}{*}
C: USER user
S: +OK
C: PASS p w
S: +OK
C: UIDL
S: -ERR unknown command
C: TOP 1 0
S: -ERR unknown command
C: STAT
S: +OK 2 50
C: QUIT
S: +OK
(close)
`,
		"no-capa":     "S: +OK\nC: CAPA\nS: -ERR unknown command\nC: QUIT\nS: +OK\n(close)\n",
		"capa-hangup": "S: +OK\nC: CAPA\n(close)\n",
		"no-uidl":     login + "C: UIDL\nS: -ERR\nC: UIDL 1\nS: -ERR\nC: TOP 1 0\nS: +OK\nS: ...\nS: .\n",
		"no-top":      login + "C: TOP 1 0\nS: -ERR\nC: UIDL 1\nS: +OK 1 1\n",
		"no-stls":     "S: +OK\nC: STLS\nS: -ERR\nC: QUIT\nS: +OK\n(close)\n",
		"no-pipelining": `
S: +OK
C: CAPA
S: +OK
S: TOP
S: UIDL
S: ...
S: .
C: QUIT
S: +OK
(close)
`,
		"renumbers": login + `C: DELE 1
S: +OK
C: LIST
S: +OK
S: 1 22
S: .
C: UIDL 1
S: +OK 1 2
C: RETR 1
S: +OK
S: Subject: two
S: ...
S: .
C: RETR 2
S: -ERR
C: RSET
S: +OK
C: LIST 2
S: +OK 2 22
`,
		"estimated-sizes": login + "C: STAT\nS: +OK 2 2048\nC: LIST 2\nS: +OK 2 1024\nC: LIST\nS: +OK\nS: 1 1024\nS: 2 1024\nS: .\n",
		"double-uidl":     login + "C: UIDL\nS: +OK\nS: 1 1\nS: 2 1\nS: .\nC: UIDL 2\nS: +OK 2 1\n",
		"uidl-over-70":    login + "C: UIDL 2\nS: +OK 2 {repeat 10 0123456789}2\n",
		"uidl-changes":    login + "C: UIDL 2\nS: +OK 2 c1-2\n",
		"top-sends-all":   login + "C: TOP 2 0\nS: +OK\nS: Subject: two\nS:\nS: body\nS: .\n",
		"stuffing-forgotten": login + `C: RETR 1
S: +OK
S: Subject: one
S:
S: .dot
S: line
S: .
`,
		"deletes-on-retr":   login + "C: RETR 1\nS: +OK\nS: ...\nS: .\nC: STAT\nS: +OK 2 50\nC: QUIT\nS: +OK\n(close)\n",
		"quit-closes":       login + "C: DELE 1\nS: +OK\nC: QUIT\n(close)\n",
		"quit-fails":        login + "C: DELE 1\nS: +OK\nC: QUIT\nS: -ERR [SYS/TEMP] nothing was deleted\n(close)\n",
		"lower-case-status": "S: +ok {*}\nC: USER user\nS: +ok {*}\nC: PASS wrong\nS: -err {*}\nC: USER user\nS: +ok {*}\nC: PASS p w\nS: +ok {*}\nC: QUIT\nS: +ok {*}\n(close)\n",
		"no-text":           "S: +OK\nC: USER user\nS: +OK\nC: PASS p w\nS: +OK\nC: STAT\nS: +OK 2 50\nC: RETR 9\nS: -ERR\n",
		"bare-lf":           `S: +OK POP3 server ready\x0a\` + "\n",
		"sasl-bare":         "S: +OK\nC: AUTH PLAIN\nS: +\nC: AHVzZXIAcCB3\nS: +OK\n",
		"stls-injects":      "S: +OK\nC: STLS\nS: +OK\nS: +OK injected\n(hangup)\n",
		"in-use":            "S: +OK\nC: USER user\nS: +OK\nC: PASS p w\nS: -ERR [IN-USE] {*}\nC: AUTH PLAIN\nS: + \nC: AHVzZXIAcCB3\nS: -ERR [IN-USE] {*}\nC: AUTH PLAIN AHVzZXIAcCB3\nS: -ERR [IN-USE] {*}\nC: STAT\nS: -ERR\n",
		"login-delay":       "S: +OK\nC: CAPA\nS: +OK\nS: ...\nS: LOGIN-DELAY 900\nS: .\nC: USER user\nS: +OK\nC: PASS p w\nS: -ERR [LOGIN-DELAY] {*}\n",
		"app-password-needed": `
S: +OK
C: USER user
S: +OK
C: PASS p w
S: -ERR [AUTH] application-specific password required{*}
`,
		"pop-off":    "S: +OK\nC: USER user\nS: +OK\nC: PASS p w\nS: -ERR [SYS/PERM] {*}\n",
		"overloaded": "S: -ERR [SYS/TEMP] {*}\n(close)\n",
		"oauth-only": `
S: +OK
C: STLS
S: +OK
(tls)
C: USER user
S: -ERR [AUTH] {*}
C: AUTH PLAIN AHVzZXIAcCB3
S: -ERR [AUTH] {*}
C: CAPA
S: +OK
S: ...
S: SASL OAUTHBEARER XOAUTH2
S: ...
S: .
C: AUTH XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIG5vAQE=
S: + {json}
C:
S: -ERR [AUTH] {*}
C: AUTH XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHAgdwEB
S: +OK
C: STAT
S: +OK 2 50
`,
		"slow": "S: +OK\nC: QUIT\nS: +OK\n(close)\n",
		"drip": "S: +OK\nC: QUIT\nS: +OK\n(close)\n",
		"capa-changes": `
S: +OK
C: CAPA
S: +OK
S: USER
S: ...
S: RESP-CODES
S: AUTH-RESP-CODE
S: .
C: USER user
S: +OK
C: PASS p w
S: +OK
C: CAPA
S: +OK
S: TOP
S: UIDL
S: ...
S: PIPELINING
S: ...
S: .
`,

		"body-short":       login + "C: RETR 1\nS: +OK\nS: Subject: one\nS:\nS: .\nC: NOOP\nS: +OK\n",
		"body-cut":         login + "C: RETR 1\nS: +OK\nS: Subject: one\nS:\n(close)\n",
		"list-wrong-sizes": login + "C: LIST 1\nS: +OK 1 35\nC: STAT\nS: +OK 2 50\n",
		"uidl-missing":     login + "C: UIDL\nS: +OK\nS: 2 2\nS: .\nC: UIDL 1\nS: -ERR\n",
		"uidl-double":      login + "C: UIDL\nS: +OK\nS: 1 1\nS: 2 1\nS: .\n",
		"uidl-illegal":     login + `C: UIDL 1` + "\n" + `S: +OK 1 \x01\x801\x7f` + "\n",
		"login-fails":      "S: +OK\nC: USER user\nS: +OK\nC: PASS p w\nS: -ERR no\n",
		"login-sys-temp":   "S: +OK\nC: APOP user 0123\nS: -ERR [SYS/TEMP] {*}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			if err := srv.Be(name); err != nil {
				t.Fatal(err)
			}
			play(t, srv, script)
		})
	}
}

// The newest 250 of 260 messages have the numbers 1 to 250.
func TestWindowShowsTheNewest(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	for n := range 260 {
		put(t, srv, fmt.Sprintf("Subject: %d\r\n\r\n", n+1))
	}
	if err := srv.Be("window-250"); err != nil {
		t.Fatal(err)
	}
	play(t, srv, login+`C: STAT
S: +OK 250 3911
C: UIDL 1
S: +OK 1 11
C: RETR 250
S: +OK
S: Subject: 260
S: ...
S: .
C: RETR 251
S: -ERR
C: DELE 1
S: +OK
C: STAT
S: +OK 249 3896
C: LIST
S: +OK
S: 2 15
S: ...
S: 250 16
S: .
C: QUIT
S: +OK
(close)
`)
	if got, err := srv.Messages(pop3test.User); err != nil || len(got) != 259 || got[10].ID != "12" {
		t.Errorf("after DELE 1: %d messages, %v", len(got), err)
	}
}

func TestRetrDeletesAtQuit(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	if err := srv.Be("deletes-on-retr"); err != nil {
		t.Fatal(err)
	}
	play(t, srv, login+"C: RETR 1\nS: +OK\nS: ...\nS: .\nC: QUIT\nS: +OK\n(close)\n")
	if got, _ := srv.Messages(pop3test.User); len(got) != 1 || got[0].Octets != second {
		t.Errorf("left: %q", got)
	}
}

// A client must refuse each of the bad certificates.
func TestBadCertificates(t *testing.T) {
	t.Parallel()
	for name, problem := range map[string]string{
		"certificate-expired":      "expired",
		"certificate-wrong-name":   "pop.wrong-name.example",
		"certificate-unknown-root": "unknown authority",
	} {
		srv := pop3test.NewServer(t)
		if err := srv.Be(name); err != nil {
			t.Fatal(err)
		}
		err := dialTLS(srv)
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v", name, err)
		}
		if err := srv.WaitSessions(t.Context(), 1); err != nil {
			t.Error(err)
		}
		if got := srv.Transcripts()[0]; !strings.Contains(got, "# no TLS: ") {
			t.Errorf("%s:\n%s", name, got)
		}
		srv.Behave()
		if err := dialTLS(srv); err != nil {
			t.Errorf("with the good certificate: %v", err)
		}
	}
}

func dialTLS(srv *pop3test.Server) error {
	conn, err := tls.Dial("tcp", srv.AddrTLS, srv.ClientTLS())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.ReadFull(conn, make([]byte, 3))
	return err
}

// Each name belongs to one thing, and tells what it is.
func TestNamesAreOneLookup(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	check := func(name, doc string) {
		if seen[name] {
			t.Errorf("%s: two have this name", name)
		}
		seen[name] = true
		if name == "" || doc == "" || strings.ToLower(name) != name || strings.ContainsAny(name, " ,") {
			t.Errorf("%q: %q: no name for a command line, or no doc", name, doc)
		}
		if _, ok := pop3test.Named(name); !ok {
			t.Errorf("%s: not found by its name", name)
		}
	}
	for _, p := range pop3test.Personalities() {
		check(p.Name, p.Doc)
	}
	for _, f := range pop3test.General() {
		check(f.Name, f.Doc)
	}
	for _, f := range pop3test.Faults() {
		check(f.Name, f.Doc)
	}
	if err := pop3test.NewServer(t).Be("nobody"); err == nil {
		t.Error("a name that nobody has was taken")
	}
}
