package shell

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"postfach/internal/awkward"
	"postfach/internal/explain"
	"postfach/internal/popwire"
	"postfach/internal/transcript"
)

const login = "USER u\nPASS " + secretPassword + "\n"

func contains(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// STLS typed by hand begins TLS, and CAPA is asked anew (P3-TLS-08).
func TestSTLSByHand(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := play(t, srv.addr, "CAPA\nSTLS\n"+login+"STAT\nQUIT\n", func(o *Options) {
		o.Target.Host = "localhost"
		o.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, srv.addr)
		}
		o.TLS = srv.cert.Client
	})
	if p.err != nil {
		t.Error(p.err)
	}
	contains(t, p.out, "TLS 1.3")
	contains(t, p.log, "C: STLS\nS: +OK begin TLS negotiation\n(tls)\nC: CAPA\nS: +OK", "S: +OK 5 515")
	if n := strings.Count(p.log, "S: STLS\n"); n != 1 {
		t.Errorf("STLS is announced %d times:\n%s", n, p.log)
	}
}

// Where the certificate is not trusted, it is shown, so that a person can compare
// it with what the operator says.
func TestUntrustedCertificateIsShown(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	for _, lang := range []explain.Language{explain.English, explain.German} {
		p := play(t, srv.addr, "STLS\n"+login, func(o *Options) { o.Look.Lang = lang })
		leaf := srv.cert.Server.Certificates[0].Certificate[0]
		if !errors.Is(p.err, ErrLost) || strings.Contains(p.log, "USER") {
			t.Errorf("%v\n%s", p.err, p.log)
		}
		contains(t, p.out, fmt.Sprintf("-- %x\n", sha256.Sum256(leaf)), "SHA-256")
	}
}

// What the shell itself says is in one language throughout.
func TestHelpIsInOneLanguage(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := play(t, srv.addr, "/help\n/save\n", func(o *Options) { o.Look.Lang = explain.German })
	for _, english := range []string{"COMMAND", "FILE", "message", "Markierung"} {
		if strings.Contains(p.out, english) {
			t.Errorf("%q in\n%s", english, p.out)
		}
	}
	contains(t, p.out, "/help [BEFEHL]", "/save DATEI", "Vormerkung")
}

// Where STLS was asked for beforehand there is no way on without it.
func TestSTLSRequired(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	stls := func(o *Options) { o.Target.Security, o.TLS = STLS, srv.cert.Client }
	p := play(t, srv.addr, login+"QUIT\n", stls)
	if p.err != nil {
		t.Error(p.err)
	}
	contains(t, p.log, "(tls)", "PASS <secret>")
	addr := fake(t, "S: +OK hello\nC: STLS\nS: -ERR no\n(hangup)\n", transcript.Options{})
	if p := play(t, addr, login, stls); !errors.Is(p.err, ErrConnect) {
		t.Error(p.err)
	}
	// Another certificate is none.
	if p := play(t, srv.addr, login, func(o *Options) { o.Target.Security = STLS }); !errors.Is(p.err, ErrConnect) {
		t.Error(p.err)
	}
}

// Octets behind the +OK to STLS end the connection (P3-TLS-07).
func TestSTLSInjection(t *testing.T) {
	for _, behind := range []string{`+OK fake\x0d\x0a\`, `+O\`} {
		addr := fake(t, "S: +OK hello\nC: STLS\nS: +OK go\\x0d\\x0a"+behind+"\n(hangup)\n", transcript.Options{})
		p := play(t, addr, "STLS\n"+login, nil)
		if !errors.Is(p.err, ErrLost) {
			t.Error(p.err)
		}
		contains(t, p.out, "STLS injection")
		if strings.Contains(p.log, "PASS") {
			t.Error("the login went on")
		}
	}
}

// Passwords cross the network only when somebody says so (P3-USR-08).
func TestCleartextRefused(t *testing.T) {
	elsewhere := func(o *Options) {
		dial := (&net.Dialer{}).DialContext
		o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return remoteConn{conn}, err
		}
		o.Password = func(context.Context, string, string) (string, error) { return secretPassword, nil }
	}
	for _, line := range []string{"PASS " + secretPassword, "pass", "APOP u", "APOP u 0123", "AUTH PLAIN", "auth plain AHUAcA==", "PSAS hunter22", "hunter22", "USER u hunter22"} {
		srv := serve(t, simple(), awkward.Maildrop("five"))
		p := play(t, srv.addr, line+"\n", elsewhere)
		if !errors.Is(p.err, ErrScript) {
			t.Errorf("%s: %v", line, p.err)
		}
		contains(t, p.out, "connection is not encrypted", "not sent", "STLS")
		if strings.Contains(p.log, "C: ") {
			t.Errorf("%s: sent:\n%s", line, p.log)
		}
	}
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := play(t, srv.addr, login+"QUIT\n", func(o *Options) {
		elsewhere(o)
		o.AllowCleartext = true
	})
	if p.err != nil {
		t.Error(p.err)
	}
}

// remoteConn is a connection to somewhere else.
type remoteConn struct{ net.Conn }

func (remoteConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 110} }

// In a script QUIT after DELE is announced, and the end of the script without
// QUIT deletes nothing (P3-UPD-06).
func TestDeletionIsAnnounced(t *testing.T) {
	for script, want := range map[string]struct {
		left int
		says string
	}{
		"LIST\nDELE 2\nDELE 4\nQUIT\n":    {3, "QUIT will delete 2 messages for good: 2 (102 octets), 4 (104 octets)"},
		"DELE 5\nquit\n":                  {4, "QUIT will delete message 5 for good"},
		"DELE 2\nDELE 4\n":                {5, "Nothing"},
		"DELE 1\nRSET\nDELE 1\nDELE 9\n":  {5, "Nothing"},
		"DELE 2\n/quit\nQUIT\n":           {5, "Nothing"},
		"DELE 2\nRSET\nQUIT\n":            {5, "nothing is deleted"},
		"# a comment\n\n  \nDELE 1\nQUIT": {4, "QUIT will delete message 1 for good"},
		"RETR 2\nDELE 2\nQUIT\n":          {4, "QUIT will delete message 2 (102 octets) for good"},
		"LIST 3\nDELE 3\nDELE 4\nQUIT\n":  {3, "QUIT will delete 2 messages for good: 3 (103 octets), 4\n"},
	} {
		srv := serve(t, simple(), awkward.Maildrop("five"))
		p := play(t, srv.addr, login+script, func(o *Options) { o.Look.Width = 500 })
		if p.err != nil {
			t.Errorf("%q: %v", script, p.err)
		}
		contains(t, strings.ToLower(p.out), strings.ToLower(want.says))
		if n := srv.left(t); n != want.left {
			t.Errorf("%q: %d messages left, want %d", script, n, want.left)
		}
		if strings.Contains(p.out+p.log, secretPassword) {
			t.Errorf("%q: the password is shown:\n%s%s", script, p.out, p.log)
		}
	}
}

// With Strict the first -ERR ends a script, and nothing is deleted.
func TestStrict(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	script := login + "DELE 1\nDELE 77\nQUIT\n"
	p := play(t, srv.addr, script, func(o *Options) { o.Strict = true })
	if !errors.Is(p.err, ErrRefused) || srv.left(t) != 5 {
		t.Errorf("%v, %d messages left", p.err, srv.left(t))
	}
	if p := play(t, srv.addr, script, nil); p.err != nil || srv.left(t) != 4 {
		t.Errorf("%v, %d messages left", p.err, srv.left(t))
	}
}

// What a server sends cannot steer the terminal, nor can lines of any length
// fill it.
func TestHostileLines(t *testing.T) {
	addr := fake(t, `S: +OK \x1b]0;owned\x07 \xe2\x80\xae \xff
C: NOOP
S: -ERR \x1b[2J\x9b31m
C: RETR 1
S: +OK
S: \x1b[31mred\x0dover
S: {repeat 300000 x}
S: .
C: LIST
S: +OK
S: \x1b[1A 5
S: .
(hangup)
`, transcript.Options{})
	p := play(t, addr, "NOOP\nRETR 1\n/show\nLIST\n", nil)
	if p.err != nil {
		t.Error(p.err)
	}
	shown, full, _ := strings.Cut(p.out, "\nS: .")
	contains(t, shown, `\x1b]0;owned\x07 \xe2\x80\xae \xff`, `-ERR \x1b[2J\x9b31m`, `\x1b[31mred\x0dover`, "xxx…")
	contains(t, full, strings.Repeat("x", 300000))
	for _, r := range p.out {
		if r < ' ' && r != '\n' || r == 0x9b || r == 0x202e {
			t.Errorf("%q is shown as it is", r)
		}
	}
	if len(shown) > 10000 {
		t.Errorf("%d octets are shown", len(shown))
	}
}

// What is no text is not sent (P3-SYN-26).
func TestControlCharactersAreNotSent(t *testing.T) {
	for _, line := range []string{"NOOP\rQUIT", "NOOP\x1b", "USER \x00", "USER \xff"} {
		srv := serve(t, simple(), awkward.Maildrop("five"))
		p := play(t, srv.addr, line+"\n", nil)
		if !errors.Is(p.err, ErrScript) || strings.Contains(p.log, "C: ") {
			t.Errorf("%q: %v\n%s", line, p.err, p.log)
		}
	}
}

// A server that ends the session, is silent, or says more than it should is
// explained.
func TestServerEndsIt(t *testing.T) {
	for name, c := range map[string]struct {
		server, script string
		err            error
		says           string
	}{
		"greeting":    {"S: -ERR [SYS/TEMP] come later\n(close)\n", "", ErrConnect, "SYS/TEMP"},
		"no POP3":     {"S: 220 smtp\n(hangup)\n", "", ErrConnect, "220 smtp"},
		"closed":      {"S: +OK\nC: NOOP\n(close)\n", "NOOP\nNOOP\n", ErrLost, "The server hung up"},
		"closed idle": {"S: +OK\nC: NOOP\nS: +OK\n(close)\n", "NOOP\nNOOP\nNOOP\n", ErrLost, "server"},
		"cut": {
			"S: +OK\nC: RETR 1\nS: +OK\nS: half\n(close)\n", "RETR 1\n/show\n", ErrLost,
			"the reply is not complete",
		},
		"silent":  {"S: +OK\nC: NOOP\n(hangup)\n", "NOOP\nNOOP\n", ErrLost, "not answered in time"},
		"endless": {"S: +OK\nC: NOOP\nS: +OK {repeat 100000 x}\n(hangup)\n", "NOOP\n", ErrLost, "longer than any"},
		"QUIT":    {"S: +OK\nC: QUIT\nS: +OK\n(close)\n", "QUIT\nNOOP\n", nil, "after QUIT"},
		"-ERR":    {"S: +OK\nC: QUIT\nS: -ERR some remain\n(close)\n", "QUIT\n", nil, "some remain"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := fake(t, c.server, transcript.Options{})
			p := play(t, addr, c.script, func(o *Options) {
				if name == "silent" {
					o.Timeout = 50 * time.Millisecond
				}
			})
			if !errors.Is(p.err, c.err) {
				t.Errorf("%v, want %v", p.err, c.err)
			}
			contains(t, p.out, c.says)
		})
	}
	p := play(t, "127.0.0.1:1", "", nil)
	if !errors.Is(p.err, ErrConnect) {
		t.Error(p.err)
	}
}

// When the connection ends before QUIT is answered nobody knows what was
// deleted: that is no good end.
func TestLostQuitIsNoGoodEnd(t *testing.T) {
	const open = "S: +OK\nC: USER u\nS: +OK\nC: PASS p\nS: +OK\nC: DELE 1\nS: +OK\n"
	const script = "USER u\nPASS p\nDELE 1\n"
	p := play(t, fake(t, open+"C: QUIT\n(close)\n", transcript.Options{}), script+"QUIT\n", nil)
	if !errors.Is(p.err, ErrLost) {
		t.Error(p.err)
	}
	contains(t, p.out, "nobody knows")
	// A QUIT that is none has ended nothing.
	p = play(t, fake(t, open+"C: QUIT now\nS: -ERR no\nC: NOOP\n(close)\n", transcript.Options{}), script+"QUIT now\nNOOP\n", nil)
	if !errors.Is(p.err, ErrLost) {
		t.Error(p.err)
	}
	// The server may refuse to delete, and close.
	p = play(t, fake(t, open+"C: QUIT\nS: -ERR no\n(close)\n", transcript.Options{}), script+"QUIT\n", nil)
	if p.err != nil {
		t.Error(p.err)
	}
}

// A server that talks on behind its goodbye is not listened to for good.
func TestEndlessGoodbye(t *testing.T) {
	p := play(t, fake(t, "S: +OK\nC: QUIT\nS: +OK bye\n"+strings.Repeat("S: +OK more\n", 30)+"(hangup)\n", transcript.Options{}), "QUIT\n", nil)
	if n := strings.Count(p.out, "S: +OK more"); p.err != nil || n != mostFarewell {
		t.Errorf("%v, %d lines", p.err, n)
	}
}

// On a narrow screen there is room for words: no time stamps, less indent.
func TestNarrowScreen(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	for _, lang := range []explain.Language{explain.English, explain.German} {
		p := play(t, srv.addr, login+"STAT\nNOOP\n", func(o *Options) { o.Look = Look{Lang: lang, Width: 24} })
		for line := range strings.Lines(p.out) {
			if line = strings.TrimRight(line, "\n"); columns(line) > 24 && !strings.HasPrefix(line, "S: ") && !strings.HasPrefix(line, "C: ") {
				t.Errorf("too long: %q", line)
			}
		}
	}
}

// Windows programs begin a text with a mark that is no part of it.
func TestScriptWithMark(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := play(t, srv.addr, "\ufeff"+strings.ReplaceAll(login, "\n", "\r\n")+"QUIT\r\n", nil)
	if p.err != nil {
		t.Error(p.err)
	}
	contains(t, p.log, "C: USER u\nS: +OK", "S: +OK maildrop")
}

// A log plays again, against the same commands, and is explained.
func TestProtocolLogPlaysAgain(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("box3"))
	p := play(t, srv.addr, "CAPA\nUSER u\nPASS "+secretPassword+"\nSTAT\nRETR 1\nNOOP\nQUIT\n", nil)
	if p.err != nil {
		t.Error(p.err)
	}
	again := play(t, fake(t, p.log+"(close)\n", transcript.Options{}),
		"CAPA\nUSER u\nPASS "+popwire.Secret+"\nSTAT\nRETR 1\nNOOP\nQUIT\n", nil)
	if again.err != nil {
		t.Error(again.err)
	}
	lines := func(log string) string { // without the session's name and time
		_, rest, _ := strings.Cut(log, ")\n")
		return rest
	}
	if lines(again.log) != lines(p.log) {
		t.Errorf("got\n%s\nwant\n%s", again.log, p.log)
	}
	var out strings.Builder
	if err := Explain(strings.NewReader(p.log), &out, Look{Width: 120}); err != nil {
		t.Fatal(err)
	}
	contains(t, out.String(), "The maildrop is open", "End of message 1", "The server says goodbye")
}
