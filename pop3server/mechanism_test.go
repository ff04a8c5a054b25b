package pop3server_test

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"postfach/pop3server"
	"postfach/sasl"
)

var everyMechanism = []string{
	sasl.ScramSHA256Plus, sasl.ScramSHA1Plus, sasl.ScramSHA256, sasl.ScramSHA1, sasl.External,
	sasl.OAuthBearer, sasl.XOAuth2, sasl.CramMD5, sasl.Plain, sasl.Login,
}

const allOf = "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 EXTERNAL OAUTHBEARER XOAUTH2 CRAM-MD5 PLAIN LOGIN"

// P3-CAPA-09, P3-AUTH-03, P3-AUTH-24, P3-AUTH-33, P3-SCRAM-10, P3-OAUTH-01: what
// is announced is what works, in this order, and nothing else does.
func TestCapaAnnouncesTheMechanismsThatWorkHere(t *testing.T) {
	without := func(list string, names ...string) string {
		return strings.Join(slices.DeleteFunc(strings.Fields(list), func(name string) bool { return slices.Contains(names, name) }), " ")
	}
	inClear := without(allOf, "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "LOGIN")
	overTLS := without(allOf, "EXTERNAL")
	for _, test := range []struct {
		name   string
		change func(*pop3server.Server)
		tls    *tls.Config // nil: in clear
		want   string
	}{
		{"TLS and a certificate", nil, showing(0, "u"), allOf},
		{"TLS", nil, trusting(0), overTLS},
		{"clear", nil, nil, ""},
		{"clear, and that is allowed", func(s *pop3server.Server) { s.AllowCleartext = true }, nil, inClear},
		{"clear, and there is no TLS", func(s *pop3server.Server) { s.AllowCleartext, s.TLS = true, nil }, nil, inClear},
		{"no passwords", func(s *pop3server.Server) { s.Auth = nil }, trusting(0), without(overTLS, "PLAIN", "LOGIN")},
		{"no LOGIN", func(s *pop3server.Server) { s.Login = false }, trusting(0), without(overTLS, "LOGIN")},
		{"no tokens", func(s *pop3server.Server) { s.Tokens = nil }, trusting(0), without(overTLS, "OAUTHBEARER", "XOAUTH2")},
		{"no SHA-1", func(s *pop3server.Server) { s.SCRAM = verifiers{onlySHA256: true} }, trusting(0), without(overTLS, "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS")},
		{"no SCRAM", func(s *pop3server.Server) { s.SCRAM = nil }, trusting(0), "OAUTHBEARER XOAUTH2 CRAM-MD5 PLAIN LOGIN"},
		{"nobody has a secret", func(s *pop3server.Server) { s.CRAM = &shared{off: true} }, trusting(0), without(overTLS, "CRAM-MD5")},
		{"nothing", func(s *pop3server.Server) { *s = pop3server.Server{Store: s.Store, TLS: s.TLS, Log: s.Log} }, trusting(0), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv, _ := newFullServer(three())
			if test.change != nil {
				test.change(srv)
			}
			var c *client
			if test.tls == nil {
				c = connect(t, srv)
				c.talk("S: +OK POP3 server ready")
			} else {
				c, _ = connectFull(t, srv, test.tls)
			}
			list := c.announced()
			if list != test.want {
				t.Errorf("SASL %s", list)
			}
			for _, name := range everyMechanism {
				got := c.line("AUTH " + name)
				begun := strings.HasPrefix(got, "+ ")
				if want := slices.Contains(strings.Fields(list), name); begun != want {
					t.Errorf("AUTH %s: %q", name, got)
				}
				if strings.Contains(got, "[AUTH]") { // AMB-19
					t.Errorf("AUTH %s: %q", name, got)
				}
				if begun {
					c.talk("C: *\nS: -ERR authentication cancelled")
				}
			}
		})
	}
}

// P3-OAUTH-01, P3-AUTH-33: loopback is as good as TLS for passwords, and for them
// only.
func TestLoopbackIsNoTLS(t *testing.T) {
	srv, _ := newFullServer(three())
	c := connectTCP(t, srv)
	c.talk("S: +OK POP3 server ready")
	if list := c.announced(); list != "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN" {
		t.Errorf("SASL %s", list)
	}
	c.talk(`
		C: AUTH OAUTHBEARER
		S: -ERR TLS required, use STLS
		C: AUTH LOGIN
		S: -ERR TLS required, use STLS
		C: AUTH SCRAM-SHA-256-PLUS
		S: -ERR TLS required, use STLS
	`)
	c.want(c.enter(sasl.NewScramClient(sasl.SHA256, true, "u", "p w")), welcome) // flag y: there is nothing to bind to
}

// P3-AUTH-02.
func TestMechanismNamesHaveNoCase(t *testing.T) {
	srv, _ := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	for _, name := range []string{"plain", "Plain", "scram-sha-256-plus", "xoauth2"} {
		c.talk("C: AUTH " + name + "\nS: + ...\nC: *\nS: -ERR authentication cancelled")
	}
	for _, name := range []string{"PLAI", "PLAINS", "PLAIN-PLUS", strings.Repeat("X", 21), "CRAM-MD5-PLUS"} {
		c.talk("C: AUTH " + name + "\nS: -ERR mechanism not available")
	}
	c.want(c.line("AUTH \u017fCRAM-SHA-1"), "-ERR") // as Unicode folds it
	c.talk("C: AUTH\nS: -ERR usage: AUTH mechanism [initial-response]\nC: AUTH PLAIN = =\nS: -ERR usage: ...")
}

// P3-AUTH-29.
func TestMechanismsAreAnnouncedAfterTheLogin(t *testing.T) {
	srv, _ := newFullServer(three())
	c, _ := connectFull(t, srv, showing(0, "u"))
	before := c.announced()
	c.want(c.enter(sasl.NewPlainClient("", "u", "p w")), welcome)
	if after := c.announced(); before != allOf || after != before {
		t.Errorf("SASL %s, then %s", before, after)
	}
	c.talk("C: AUTH PLAIN\nS: -ERR not in this state of the session") // P3-AUTH-20
}
