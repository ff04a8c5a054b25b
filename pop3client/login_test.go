package pop3client

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"

	"postfach/internal/transcript"
	"postfach/pop3"
	"postfach/sasl"
)

const saslPlain = `S: +OK ready
C: CAPA
S: +OK
S: SASL FOO plain
S: PIPELINING
S: .
`

const after = `C: CAPA
S: -ERR
(hangup)
`

// TestLogin: the strongest announced way, and nothing weaker after a refusal.
func TestLogin(t *testing.T) {
	for name, test := range map[string]struct{ user, password, script string }{
		"PLAIN": {"u", "p w", saslPlain + "C: AUTH PLAIN AHUAcCB3\nS: +OK\n" + after},
		// 255 octets are the most that a client may send (P3-AUTH-11).
		"PLAIN, long": {"u", strings.Repeat("p", 200), saslPlain + "C: AUTH PLAIN\nS: + \\x0d\\x0a\\\nC: " +
			base64.StdEncoding.EncodeToString([]byte("\x00u\x00"+strings.Repeat("p", 200))) + "\nS: +OK\n" + after},
		// One flight (P3-PIPE-05).
		"USER": {"u", "p w", pipelined + "C: USER u\nC: PASS p w\nS: +OK\nS: +OK\n" + after},
		// No SASL announced: none is tried (P3-AUTH-28, P3-CAPA-04).
		"no CAPA":   {"u", "p", "S: +OK\nC: CAPA\nS: -ERR\nC: USER u\nS: +OK\nC: PASS p\nS: +OK\n" + after},
		"bare SASL": {"u", "p", "S: +OK\nC: CAPA\nS: +OK\nS: SASL\nS: .\nC: USER u\nS: +OK\nC: PASS p\nS: +OK\n" + after},
		"UTF8 USER": {"jörg", "p", "S: +OK\nC: CAPA\nS: +OK\nS: UTF8 USER\nS: .\nC: USER jörg\nS: +OK\nC: PASS p\nS: +OK\n" + after},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, test.script, nil)
			check(t, c.Login(t.Context(), test.user, test.password))
			equal(t, c.State(), pop3.Transaction)
			check(t, c.Close())
		})
	}
}

func TestLoginRefused(t *testing.T) {
	for name, script := range map[string]string{
		"PLAIN":        saslPlain + "C: AUTH PLAIN AHUAc2VzYW1l\nS: -ERR [auth/expired] sesame is not it, nor AHUAc2VzYW1l\n(hangup)\n",
		"PASS":         hello + "C: USER u\nS: +OK\nC: PASS sesame\nS: -ERR [AUTH] sesame is not it\n(hangup)\n",
		"one flight":   pipelined + "C: USER u\nC: PASS sesame\nS: +OK\nS: -ERR [AUTH] no\n(hangup)\n",
		"USER, flight": pipelined + "C: USER u\nC: PASS sesame\nS: -ERR [AUTH] no\nS: -ERR USER first\n(hangup)\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, script, nil)
			err := c.Login(t.Context(), "u", "sesame")
			if !errors.Is(err, &pop3.Error{Code: pop3.CodeAuth}) || strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), "AHUAc2VzYW1l") {
				t.Errorf("%v", err)
			}
			equal(t, c.State(), pop3.Authorization)
			check(t, c.Close())
		})
	}
}

// TestNothingIsSent: what cannot be part of a command is refused before one
// octet leaves (P3-SYN-26, P3-UTF-08, P3-GRT-09).
func TestNothingIsSent(t *testing.T) {
	c := open(t, "S: +OK ready <\\xff\\xfe@x>\nC: CAPA\nS: +OK\nS: UTF8\nS: .\n(hangup)\n", nil)
	ctx := t.Context()
	for name, err := range map[string]error{
		"user CRLF":      c.User(ctx, "a\r\nDELE 1"),
		"user NUL":       c.Login(ctx, "a\x00", "p"),
		"login CR":       c.Login(ctx, "a", "p\r"),
		"password LF":    c.Pass(ctx, "a\nDELE 1"),
		"empty user":     c.User(ctx, ""),
		"not ASCII":      c.User(ctx, "jörg"),
		"long":           c.Pass(ctx, strings.Repeat("p", 249)),
		"APOP timestamp": c.APOP(ctx, "u", "p"),
		"APOP space":     c.APOP(ctx, "u v", "p"),
		"mechanism":      c.Auth(ctx, &mechanism{name: "X\r\nDELE 1"}),
		"lower case":     c.Auth(ctx, &mechanism{name: "plain"}),
		"PLAIN NUL":      c.Auth(ctx, sasl.NewPlainClient("", "u", "\x00")),
		"DELE 0":         c.Dele(ctx, 0),
	} {
		if err == nil {
			t.Errorf("%s: sent", name)
		}
	}
	if _, err := c.Lang(ctx, "de\r\nDELE 1"); !errors.Is(err, ErrUnsafe) {
		t.Errorf("LANG: %v", err)
	}
	if _, err := c.Retr(ctx, -1); !errors.Is(err, ErrUnsafe) {
		t.Errorf("RETR: %v", err)
	}
	if _, err := c.Top(ctx, 1, -1); !errors.Is(err, ErrUnsafe) {
		t.Errorf("TOP: %v", err)
	}
	for m, err := range c.RetrAll(ctx, []int{1, 0}) {
		if err == nil {
			t.Errorf("RETR %d", m.Number)
		}
	}
	check(t, c.err)
	check(t, c.Close())
}

// TestCleartext: the check sits where credentials are written (P3-USR-08,
// P3-TLS-11).
func TestCleartext(t *testing.T) {
	conn := remote{play(t, "S: +OK <1.2@mail.test>\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .\nC: NOOP\nS: -ERR\n(hangup)\n", transcript.Options{})}
	c, err := New(t.Context(), conn, nil)
	check(t, err)
	ctx := t.Context()
	for name, err := range map[string]error{
		"Login": c.Login(ctx, "u", "p"),
		"User":  c.User(ctx, "u"),
		"Pass":  c.Pass(ctx, "p"),
		"APOP":  c.APOP(ctx, "u", "p"),
		"Auth":  c.Auth(ctx, sasl.NewScramClient(sasl.SHA256, false, "u", "p")),
	} {
		if !errors.Is(err, ErrCleartext) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Noop(ctx); err == nil {
		t.Error("NOOP")
	}
	check(t, c.Close())

	conn = remote{play(t, hello+"C: USER u\nS: +OK\n(hangup)\n", transcript.Options{})}
	c, err = New(ctx, conn, &Options{AllowCleartext: true})
	check(t, err)
	check(t, c.User(ctx, "u"))
	check(t, c.Close())
}

// TestProxyIsNotLoopback: a connection that a DialContext made on this machine
// may go on to another one. Only the name of this machine says that it does not.
func TestProxyIsNotLoopback(t *testing.T) {
	for addr, want := range map[string]bool{"mail.test": false, "192.0.2.1:110": false, "localhost": true, "127.0.0.1:1110": true, "[::1]:110": true} {
		script := hello
		if want {
			script += "C: USER u\nS: +OK\n"
		}
		c, err := Dial(t.Context(), addr, &Options{
			Security: Cleartext,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				return play(t, script+"(hangup)\n", transcript.Options{}), nil
			},
		})
		check(t, err)
		err = c.User(t.Context(), "u")
		equal(t, err == nil, want)
		equal(t, errors.Is(err, ErrCleartext), !want)
		check(t, c.Close())
	}
}

// A mechanism answers every challenge the same way.
type mechanism struct {
	name     string
	initial  []byte
	response string
	err      error
	finished bool
	heard    []string
}

func (m *mechanism) Start() (string, []byte, error) { return m.name, m.initial, nil }

func (m *mechanism) Next(challenge []byte) ([]byte, error) {
	m.heard = append(m.heard, string(challenge))
	return []byte(m.response), m.err
}

func (m *mechanism) Finished() bool { return m.finished }

func TestAuth(t *testing.T) {
	const announced = "S: +OK\nC: CAPA\nS: +OK\nS: SASL X\nS: .\n"
	const silent = "S: +OK\nC: CAPA\nS: -ERR\n"
	empty := []byte{}
	for name, test := range map[string]struct {
		script string
		m      mechanism
		ok     bool
	}{
		"empty initial":      {announced + "C: AUTH X =\nS: +OK\n" + after, mechanism{initial: empty, finished: true}, true},                 // P3-AUTH-09
		"none":               {announced + "C: AUTH X\nS: + aGk=\nC: \nS: +OK\n" + after, mechanism{finished: true}, true},                   // P3-AUTH-06
		"plus alone":         {silent + "C: AUTH X\nS: +\nC: eA==\nS: +OK\n" + after, mechanism{initial: []byte("x"), finished: true}, true}, // AMB-12, P3-AUTH-28
		"server speaks":      {silent + "C: AUTH X\nS: + aGk=\nC: *\nS: -ERR\n(hangup)\n", mechanism{initial: []byte("x"), finished: true}, false},
		"no base64":          {announced + "C: AUTH X\nS: + %%%\nC: *\nS: -ERR cancelled\n(hangup)\n", mechanism{finished: true}, false}, // P3-AUTH-16
		"mechanism gives up": {announced + "C: AUTH X\nS: + \\x0d\\x0a\\\nC: *\nS: -ERR\n(hangup)\n", mechanism{err: errors.New("no")}, false},
		"OK to a cancel":     {announced + "C: AUTH X\nS: + \\x0d\\x0a\\\nC: *\nS: +OK\n(hangup)\n", mechanism{err: errors.New("no")}, false}, // P3-SCRAM-05
		"unproved":           {announced + "C: AUTH X\nS: +OK\n(hangup)\n", mechanism{}, false},                                               // P3-SCRAM-05
		"refused":            {announced + "C: AUTH X\nS: -ERR [AUTH] no\n(hangup)\n", mechanism{}, false},
		"garbage":            {announced + "C: AUTH X\nS: *\n(hangup)\n", mechanism{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, test.script, nil)
			test.m.name = "X"
			err := c.Auth(t.Context(), &test.m)
			if (err == nil) != test.ok {
				t.Error(err)
			}
			equal(t, c.State() == pop3.Transaction, test.ok)
			if name == "unproved" && !errors.Is(err, ErrUnproved) || name == "OK to a cancel" && c.err == nil {
				t.Error(err)
			}
			check(t, c.Close())
		})
	}
}

// TestEndlessChallenges: there is no SASL loop.
func TestEndlessChallenges(t *testing.T) {
	script := "S: +OK\nC: CAPA\nS: -ERR\nC: AUTH X\n" + strings.Repeat("S: + eA==\nC: eQ==\n", 16) + "(hangup)\n"
	c := open(t, script, nil)
	err := c.Auth(t.Context(), &mechanism{name: "X", response: "y"})
	if _, ok := errors.AsType[*pop3.ProtocolError](err); !ok {
		t.Error(err)
	}
}

// TestSCRAMServerSignature: a server that does not know the password is no
// success (P3-SCRAM-05), nor is one that leaves the proof out.
func TestSCRAMServerSignature(t *testing.T) {
	client, server := pipe(t)
	go func() {
		defer server.Close()
		server.Write([]byte("+OK\r\n"))
		readLine(server)
		server.Write([]byte("+OK\r\nSASL PLAIN SCRAM-SHA-256\r\n.\r\n"))
		line := strings.TrimSpace(strings.TrimPrefix(readLine(server), "AUTH SCRAM-SHA-256 "))
		first, _ := base64.StdEncoding.DecodeString(line)
		nonce := string(first)[strings.Index(string(first), "r=")+2:]
		say := func(s string) {
			server.Write([]byte("+ " + base64.StdEncoding.EncodeToString([]byte(s)) + "\r\n"))
		}
		say("r=" + nonce + "server,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
		readLine(server)
		server.Write([]byte("+OK welcome\r\n"))
		readLine(server)
	}()
	c, err := New(t.Context(), client, nil)
	check(t, err)
	if err := c.Login(t.Context(), "user", "pencil"); !errors.Is(err, ErrUnproved) {
		t.Error(err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestAPOP (P3-APOP-01, RFC 1939 section 7).
func TestAPOP(t *testing.T) {
	c := open(t, `S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
C: CAPA
S: -ERR
C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
S: +OK
`+after, nil)
	check(t, c.APOP(t.Context(), "mrose", "tanstaaf"))
	check(t, c.Close())
}

// TestTraceHidesSecrets: not even when the server repeats them (P3-USR-12,
// P3-OAUTH-10).
func TestTraceHidesSecrets(t *testing.T) {
	var trace strings.Builder
	opts := &Options{Trace: func(e pop3.TraceEvent) {
		if e.Session == "" || e.Time.IsZero() {
			t.Error("an event without session or time")
		}
		who := "S: "
		if e.Client {
			who = "C: "
		}
		trace.WriteString(who + string(e.Octets))
	}}
	c := open(t, saslPlain+`C: AUTH PLAIN AHUAc2VzYW1l
S: -ERR sesame AHUAc2VzYW1l
C: AUTH PLAIN
S: + \x0d\x0a\
C: AHUAc2VzYW1l
S: -ERR
C: USER u
S: +OK
C: PASS sesame
S: +OK sesame
`+after, opts)
	c.Login(t.Context(), "u", "sesame")
	c.caps = nil
	c.Auth(t.Context(), sasl.NewPlainClient("", "u", "sesame"))
	check(t, c.Login(t.Context(), "u", "sesame"))
	check(t, c.Close())
	want := "S: +OK ready\r\nC: CAPA\r\nS: +OK\r\nS: SASL FOO plain\r\nS: PIPELINING\r\nS: .\r\n" +
		"C: AUTH PLAIN <secret>\r\nS: -ERR <secret> <secret>\r\n" +
		"C: AUTH PLAIN\r\nS: + \r\nC: <secret>\r\nS: -ERR\r\n" +
		"C: USER u\r\nS: +OK\r\nC: PASS <secret>\r\nS: +OK <secret>\r\nC: CAPA\r\nS: -ERR\r\n"
	equal(t, trace.String(), want)
}
