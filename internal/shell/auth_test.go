package shell

import (
	"context"
	"errors"
	"strings"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/transcript"
	"postfach/pop3test"
	"postfach/sasl"
)

func password(secret string) func(*Options) {
	return func(o *Options) {
		o.Password = func(context.Context, string, string) (string, error) { return secret, nil }
	}
}

// The digest is that of RFC 1939 section 7.
func TestAPOPDigest(t *testing.T) {
	addr := fake(t, `S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
S: +OK maildrop has 1 message (369 octets)
(hangup)
`, transcript.Options{})
	p := play(t, addr, "APOP mrose\n", password("tanstaaf"))
	if p.err != nil || strings.Contains(p.out+p.log, "c4c9334b") {
		t.Errorf("%v\n%s", p.err, p.out)
	}
	contains(t, p.out, "C: APOP mrose <secret>")
}

// Without a timestamp, with a forged one, and with one from before TLS there is
// no APOP (P3-GRT-09, P3-APOP-09).
func TestAPOPNeedsTimestamp(t *testing.T) {
	for _, greeting := range []string{"+OK ready", "+OK <no at sign>", `+OK <a@b\xff>`} {
		p := play(t, fake(t, "S: "+greeting+"\n(hangup)\n", transcript.Options{}), "APOP u\n", password("secret"))
		if !errors.Is(p.err, ErrScript) {
			t.Errorf("%s: %v", greeting, p.err)
		}
		contains(t, p.out, "APOP needs the timestamp")
	}
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := play(t, srv.addr, "STLS\nAPOP u\n", func(o *Options) {
		password("apop secret")(o)
		o.TLS = srv.cert.Client
	})
	if !errors.Is(p.err, ErrScript) {
		t.Error(p.err)
	}
	contains(t, p.out, "came before TLS")
}

// Each mechanism logs in at a server of somebody else's making, in the clear and
// with the list of mechanisms known or not, and a wrong password is refused.
func TestMechanisms(t *testing.T) {
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Mechanisms())
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"} {
		for _, before := range []string{"", "CAPA\n"} {
			for secret, want := range map[string]string{pop3test.Password: "S: +OK 0 0\n", "wrong password": "S: -ERR"} {
				p := play(t, srv.AddrTLS, before+"AUTH "+mechanism+"\nSTAT\nQUIT\n", func(o *Options) {
					password(secret)(o)
					o.User, o.TLS, o.Target.Security = pop3test.User, srv.ClientTLS(), TLS
				})
				if p.err != nil {
					t.Errorf("%s: %v\n%s", mechanism, p.err, p.out)
				}
				contains(t, p.log, want)
				if strings.Contains(p.out+p.log, secret) || strings.Contains(p.log, "dXNlc") {
					t.Errorf("%s: secrets are shown:\n%s%s", mechanism, p.out, p.log)
				}
			}
		}
	}
}

// LOGIN, which has no standard.
func TestLoginMechanism(t *testing.T) {
	p := play(t, fake(t, `S: +OK
C: AUTH LOGIN
S: + VXNlcm5hbWU6
C: dQ==
S: + UGFzc3dvcmQ6
C: c2VjcmV0IHdvcmQ=
S: +OK
(hangup)
`, transcript.Options{}), "AUTH login\n", func(o *Options) {
		password("secret word")(o)
		o.User = "u"
	})
	if p.err != nil || strings.Contains(p.log+p.out, "c2VjcmV0IHdvcmQ=") {
		t.Errorf("%v\n%s", p.err, p.out)
	}
}

// EXTERNAL asks for nothing: the certificate says who it is (P3-EXT-03).
func TestExternal(t *testing.T) {
	p := play(t, fake(t, `S: +OK
C: AUTH EXTERNAL
S: +
C:
S: +OK
C: CAPA
S: +OK
S: SASL EXTERNAL
S: .
C: AUTH EXTERNAL dQ==
S: -ERR
(hangup)
`, transcript.Options{}), "AUTH external\nCAPA\nAUTH EXTERNAL dQ==\n", nil)
	if p.err != nil {
		t.Errorf("%v\n%s", p.err, p.out)
	}
}

// Without TLS there is nothing to bind to: -PLUS is left to the person.
func TestPlusInClear(t *testing.T) {
	p := play(t, fake(t, `S: +OK
C: AUTH SCRAM-SHA-256-PLUS
S: -ERR no such mechanism
(hangup)
`, transcript.Options{}), "AUTH SCRAM-SHA-256-PLUS\n", password("secret"))
	if p.err != nil {
		t.Errorf("%v\n%s", p.err, p.out)
	}
}

// A server that says +OK without having proved that it knows the password is
// not believed (P3-SCRAM-05).
func TestSCRAMServerMustProve(t *testing.T) {
	p := play(t, fake(t, `S: +OK
C: AUTH SCRAM-SHA-256
S: +OK welcome
(hangup)
`, transcript.Options{}), "AUTH SCRAM-SHA-256\n", func(o *Options) {
		password("secret")(o)
		o.User = "u"
	})
	if !errors.Is(p.err, ErrLost) {
		t.Error(p.err)
	}
	contains(t, p.out, "has not proved")
}

// Tokens are for TLS, to this machine as well, whoever makes the line (P3-OAUTH-01).
func TestTokensAreForTLS(t *testing.T) {
	for _, line := range []string{
		"AUTH OAUTHBEARER", "auth xoauth2", "AUTH OAUTHBEARER bixhPXUsAWF1dGg9QmVhcmVyIHRvay5zZWNyZXQBAQ==",
		"AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHRvay5zZWNyZXQBAQ==", "Auth OAuthBearer =",
	} {
		p := play(t, fake(t, "S: +OK\n(hangup)\n", transcript.Options{}), line+"\n", func(o *Options) {
			password("tok.secret")(o)
			o.User = "u"
		})
		if !errors.Is(p.err, ErrScript) || strings.Contains(p.log, "C: ") {
			t.Errorf("%s: %v, %s", line, p.err, p.log)
		}
		contains(t, p.out, "not sent", "token", "STLS")
	}
}

// Who has the rest of the exchange could try passwords against SCRAM's proof, and a
// server may repeat a token where it says why it refuses it: neither is shown.
func TestChallengesWithSecretsAreHidden(t *testing.T) {
	for script, conversation := range map[string]string{
		"AUTH SCRAM-SHA-256 biwsbj11LHI9YWJj\n*\n": "S: +OK\nC: AUTH SCRAM-SHA-256 biwsbj11LHI9YWJj\nS: + dj1zZWNyZXQ=\nC: *\nS: -ERR\n(hangup)\n",
		// {"status":"tok.secret"}
		"AUTH OAUTHBEARER bixhPXUsAWF1dGg9QmVhcmVyIHRvay5zZWNyZXQBAQ==\n*\n": "S: +OK\nC: AUTH OAUTHBEARER bixhPXUsAWF1dGg9QmVhcmVyIHRvay5zZWNyZXQBAQ==\n" +
			"S: + eyJzdGF0dXMiOiJ0b2suc2VjcmV0In0=\nC: *\nS: -ERR\n(hangup)\n",
	} {
		p := play(t, fake(t, conversation, transcript.Options{}), script, func(o *Options) { o.AllowCleartext = true })
		recorded := explained(t, conversation)
		for what, text := range map[string]string{"screen": p.out, "log": p.log, "explained": recorded} {
			if !strings.Contains(text, "+ <secret>") || strings.Contains(text, "dj1z") || strings.Contains(text, "eyJz") || strings.Contains(text, "tok.secret") {
				t.Errorf("%s, %v:\n%s", what, p.err, text)
			}
		}
	}
}

// XOAUTH2 is said in two lines (P3-OAUTH-09), and OAUTHBEARER says where to (P3-OAUTH-02).
func TestTokensAreSaidAsTheirServersWantThem(t *testing.T) {
	with := func(o *Options) {
		password("tok.secret")(o)
		o.User, o.AllowCleartext = "u", true
	}
	p := play(t, fake(t, "S: +OK\nC: CAPA\nS: +OK\nS: SASL XOAUTH2\nS: .\nC: AUTH XOAUTH2\nS: +\nC: dXNlcj11AWF1dGg9QmVhcmVyIHRvay5zZWNyZXQBAQ==\nS: +OK\n(hangup)\n", transcript.Options{}), "CAPA\nAUTH XOAUTH2\n", with)
	if p.err != nil {
		t.Errorf("%v\n%s", p.err, p.log)
	}
	s := newSession(Options{Target: Target{Host: "h.example", Port: 995}})
	s.wire = &wire{}
	m, _ := s.mechanism(sasl.OAuthBearer, "u", "tok")
	if _, initial, err := m.Start(); err != nil || !strings.Contains(string(initial), "host=h.example\x01port=995\x01") {
		t.Errorf("%q, %v", initial, err)
	}
}

// Other mechanisms are led by hand, and a response may be empty.
func TestResponsesByHand(t *testing.T) {
	p := play(t, fake(t, `S: +OK
C: AUTH X-FOO
S: + Zm9v
C: c2VjcmV0
S: + Zm9v
C:
S: -ERR no c2VjcmV0
C: AUTH X-FOO
S: +
C: *
S: -ERR cancelled
(hangup)
`, transcript.Options{}), "AUTH X-FOO\nc2VjcmV0\n\nAUTH X-FOO\n*\n", nil)
	if p.err != nil {
		t.Error(p.err)
	}
	contains(t, p.out, "typed by hand", "no <secret>", "C: *")
	if strings.Contains(p.out+p.log, "c2VjcmV0") {
		t.Errorf("the response is shown:\n%s%s", p.out, p.log)
	}
}

// A server that asks on when the client has cancelled is left.
func TestCancelIsTheEnd(t *testing.T) {
	for _, mechanism := range []string{"X-FOO", "LOGIN"} {
		p := play(t, fake(t, "S: +OK\nC: USER u\nS: +OK\nC: AUTH "+mechanism+"\nS: +\n"+map[string]string{"LOGIN": "C: dQ==\nS: +\nC: aHVudGVyMjI=\nS: +\n"}[mechanism]+"C: *\nS: +\n(hangup)\n", transcript.Options{}), "USER u\nAUTH "+mechanism+"\n", password("hunter22"))
		if !errors.Is(p.err, ErrLost) {
			t.Errorf("%s: %v", mechanism, p.err)
		}
	}
}

// A script without a password says where one could come from.
func TestScriptWithoutPassword(t *testing.T) {
	for _, line := range []string{"PASS", "AUTH PLAIN"} {
		srv := serve(t, simple(), awkward.Maildrop("five"))
		p := play(t, srv.addr, "USER u\n"+line+"\n", nil)
		if !errors.Is(p.err, ErrScript) {
			t.Error(p.err)
		}
		contains(t, p.out, "POSTFACH_PASSWORD")
	}
}
