package pop3test_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"postfach/pop3test"
)

// faultNamed returns one of the faults that break rules.
func faultNamed(t *testing.T, name string) pop3test.Fault {
	t.Helper()
	for _, f := range pop3test.Faults() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no fault has the name %s", name)
	return pop3test.Fault{}
}

// A rawClient is a connection without a client.
type rawClient struct {
	t   *testing.T
	srv *pop3test.Server
	nc  net.Conn
	br  *bufio.Reader
}

// say plays a conversation. Of a line "C: " what follows is sent in one
// segment, with \r\n for line ends between commands; of a line "S: " what
// follows is a regular expression for one line, or for all lines up to ".".
// "(tls)" is a handshake, "(close)" the end of the connection.
func (c *rawClient) say(conversation string) {
	c.t.Helper()
	for line := range strings.Lines(conversation) {
		line = strings.TrimSuffix(line, "\n")
		c.nc.SetDeadline(time.Now().Add(10 * time.Second))
		octets, sends := strings.CutPrefix(line, "C: ")
		wanted, reads := strings.CutPrefix(line, "S: ")
		switch {
		case sends || line == "C:":
			octets = strings.NewReplacer(`\r\n`, "\r\n", `\x00`, "\x00").Replace(strings.TrimPrefix(octets, "C:"))
			if !strings.HasSuffix(octets, `\`) {
				octets += "\r\n"
			}
			if _, err := io.WriteString(c.nc, strings.TrimSuffix(octets, `\`)); err != nil {
				c.t.Fatal(err)
			}
		case reads:
			c.hear(wanted)
		case line == "(tls)":
			tc := tls.Client(c.nc, c.srv.ClientTLS())
			if err := tc.Handshake(); err != nil {
				c.t.Fatal(err)
			}
			c.nc, c.br = tc, bufio.NewReader(tc)
		case line == "(close)":
			if rest, err := io.ReadAll(c.br); err != nil || len(rest) > 0 {
				c.t.Fatalf("want the end of the connection; got %q, %v", rest, err)
			}
		default:
			c.t.Fatalf("no line of a conversation: %q", line)
		}
	}
}

// hear reads a line, or several when wanted is an expression for several.
func (c *rawClient) hear(wanted string) {
	c.t.Helper()
	got, err := c.br.ReadString('\n')
	for strings.HasSuffix(wanted, `\.`) && err == nil && !strings.HasSuffix(got, "\n.\r\n") {
		var next string
		next, err = c.br.ReadString('\n')
		got += next
	}
	if err != nil {
		c.t.Fatalf("want %s; got %q, %v", wanted, got, err)
	}
	if !regexp.MustCompile(`(?s)^` + wanted + `\r\n$`).MatchString(got) {
		c.t.Fatalf("want %s; got %q", wanted, got)
	}
}

func connectTo(t *testing.T, srv *pop3test.Server, addr string) *rawClient {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &rawClient{t, srv, nc, bufio.NewReader(nc)}
}

// The wrong octets of the faults at login, on the wire. Base64 is
// "\0user\0p w".
func TestLoginFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	const login = "C: USER user\nS: \\+OK.*\nC: PASS p w\nS: \\+OK.*\n"
	for _, test := range []struct {
		fault, conversation string
	}{
		{"user-without-name", "C: USER\nS: \\+OK send PASS"},
		{"user-tells-names", "C: USER nobody\nS: -ERR sorry, no such user here\nC: USER user\nS: \\+OK.*"},
		{"pass-before-user", "C: PASS p w\nS: \\+OK and the name\\?\nC: USER user\nS: \\+OK maildrop.*"},
		{"pass-before-user", "C: USER user\nS: \\+OK.*\nC: NOOP\nS: -ERR.*\nC: PASS p w\nS: \\+OK.*\nC: STAT\nS: \\+OK 0 0"},
		{"password-trimmed", "C: USER user\nS: \\+OK.*\nC: PASS  p w  \nS: \\+OK.*"},
		{"user-outlives-failed-pass", "C: USER user\nS: \\+OK.*\nC: PASS no\nS: -ERR.*\nC: PASS p w\nS: \\+OK.*\nC: STAT\nS: \\+OK.*"},
		{"plain-gets-around-refusal", "C: USER user\nS: -ERR TLS.*\nC: AUTH PLAIN AHVzZXIAcCB3\nS: \\+OK.*"},
		{"clear-refusal-tells-passwords", "C: USER user\nS: \\+OK.*\nC: PASS p w\nS: -ERR TLS.*\nC: USER user\nS: \\+OK.*\nC: PASS no\nS: -ERR \\[AUTH\\].*"},
		{"failed-login-tells-names", "C: USER nobody\nS: \\+OK.*\nC: PASS no\nS: -ERR \\[AUTH\\] no such user\nC: USER user\nS: \\+OK.*\nC: PASS no\nS: -ERR \\[AUTH\\] wrong password"},
		{"second-user-refused", "C: USER nobody\nS: \\+OK.*\nC: USER user\nS: -ERR Must.*\nC: PASS p w\nS: -ERR.*\n" + login},
		{"password-in-error-text", "C: USER user\nS: \\+OK.*\nC: PASS hush\nS: -ERR .*hush.*"},
		{"apop-any-time", "C: APOP user x\nS: \\+OK.*\nC: STAT\nS: \\+OK.*\nC: APOP user x\nS: \\+OK"},
		{"initial-response-ignored", "C: AUTH PLAIN AHVzZXIAcCB3\nS: \\+ \nC: AHVzZXIAcCB3\nS: \\+OK.*"},
		{"mechanism-case-matters", "C: AUTH Plain AHVzZXIAcCB3\nS: -ERR.*\nC: AUTH PLAIN AHVzZXIAcCB3\nS: \\+OK.*"},
		{"any-mechanism-is-plain", "C: AUTH FOOBAR\nS: \\+ \nC: AHVzZXIAcCB3\nS: \\+OK.*"},
		{"empty-challenge-without-space", "C: AUTH PLAIN\nS: \\+\nC: AHVzZXIAcCB3\nS: \\+OK.*"},
		{"challenge-in-words", "C: AUTH PLAIN\nS: \\+ go ahead, please\nC: AHVzZXIAcCB3\nS: \\+OK.*"},
		{"cancel-is-ok", "C: AUTH PLAIN\nS: \\+ \nC: *\nS: \\+OK.*\nC: AUTH PLAIN AHVzZXIAcCB3\nS: \\+OK maildrop.*"},
		{"equals-sign-ignored", "C: AUTH PLAIN =\nS: \\+ \nC: AHVzZXIAcCB3\nS: \\+OK.*"},
		{"bad-base64-asks-again", "C: AUTH PLAIN !!!!\nS: \\+ \nC: AAA\nS: \\+ \nC: AHVzZXIAcCB3\nS: \\+OK.*"},
		{"base64-junk-skipped", "C: AUTH PLAIN AHVz%ZXIA=cCB3\nS: \\+OK.*"},
		{"base64-junk-skipped", "C: AUTH PLAIN\nS: \\+ \nC: AHVz ZXIA-cCB3\nS: \\+OK.*"},
		{"auth-without-effect", "C: AUTH PLAIN AHVzZXIAeHh4\nS: \\+OK.*\nC: STAT\nS: -ERR.*"},
		{"failed-auth-ends-all", "C: AUTH PLAIN AHVzZXIAeHh4\nS: -ERR.*\nC: USER user\nS: -ERR authentication has failed.*"},
		{"auth-after-login", login + "C: AUTH PLAIN\nS: \\+ \nC: AHVzZXIAcCB3\nS: \\+OK.*\nC: STAT\nS: \\+OK.*"},
		{"command-inside-exchange", "C: AUTH PLAIN\nS: \\+ \nC: CAPA\nS: \\+OK.*\\.\nC: AUTH PLAIN\nS: \\+ \nC: QUIT\nS: \\+OK.*\n(close)"},
		{"login-mechanism-in-clear", "C: AUTH LOGIN\nS: \\+ VXNlcm5hbWU6\nC: dXNlcg==\nS: \\+ UGFzc3dvcmQ6\nC: cCB3\nS: \\+OK.*"},
		{"plain-lenient-grammar", "C: AUTH PLAIN dXNlcgBwIHc=\nS: \\+OK.*"},
		{"plain-identity-ignored", "C: AUTH PLAIN cm9vdAB1c2VyAHAgdw==\nS: \\+OK.*"},
		{"password-prepared-to-nothing", "C: AUTH PLAIN AHVzZXIAwq0=\nS: \\+OK.*"},
		{"identity-prepared-to-nothing", "C: AUTH PLAIN wq0AdXNlcgBwIHc=\nS: \\+OK.*"},
		{"external-without-certificate", "C: AUTH EXTERNAL =\nS: \\+OK.*\nC: STAT\nS: \\+OK.*"},
		{"cram-md5-takes-any-digest", "C: AUTH CRAM-MD5\nS: \\+ P[A-Za-z0-9+/=]+\nC: dXNlciB4\nS: \\+OK.*"},
		{"cram-md5-initial-response-ignored", "C: AUTH CRAM-MD5 AAAA\nS: \\+ P[A-Za-z0-9+/=]+\nC: *\nS: -ERR.*"},
		{"scram-only-sha-256", "C: CAPA\nS: \\+OK.*SASL SCRAM-SHA-256 PLAIN\\r\\n\\.\nC: AUTH SCRAM-SHA-1\nS: -ERR.*"},
		{"scram-tells-names", "C: AUTH SCRAM-SHA-256 biwsbj1ub2JvZHkscj14\nS: -ERR \\[AUTH\\] no such user"},
		{"oauth-in-clear", "C: AUTH OAUTHBEARER\nS: \\+ \nC: biwsAQE=\nS: \\+ eyJ.*\nC: AQ==\nS: -ERR \\[AUTH\\].*"},
		{"capa-only-before-login", "C: CAPA\nS: \\+OK.*\\.\n" + login + "C: CAPA\nS: -ERR.*"},
		{"capa-forgets-after-login", login + "C: CAPA\nS: \\+OK\\r\\nCAPA\\r\\nTOP\\r\\n.*\\."},
		{"sasl-without-mechanisms", "C: CAPA\nS: \\+OK.*\\r\\nSASL\\r\\n\\."},
		{"login-delay-grows", "C: CAPA\nS: \\+OK.*\\r\\nLOGIN-DELAY 60\\r\\n\\.\n" + login + "C: CAPA\nS: \\+OK.*\\r\\nLOGIN-DELAY 900\\r\\n\\."},
		{"brackets-around-texts", "C: FOO\nS: -ERR \\[error: unknown command\\] sorry"},
		{"replies-out-of-order", login + "C: NOOP\\r\\nSTAT\nS: \\+OK 0 0\nS: \\+OK nothing done\nC: QUIT\nS: \\+OK.*\n(close)"},
		{"rest-of-segment-thrown-away", login + "C: STAT\\r\\nLIST\\r\\nNOOP\nS: \\+OK 0 0\nC: UIDL\nS: \\+OK unique.*\\."},
		{"long-batch-stalls", login + "C: NOOP\\r\\nSTAT\\r\\nNOOP\nS: \\+OK.*\nS: \\+OK 0 0\nS: \\+OK.*"},
		{"input-lost-at-login", "C: USER user\\r\\nPASS p w\\r\\nNOOP\nS: \\+OK.*\nS: \\+OK maildrop.*\nC: STAT\nS: \\+OK 0 0"},
		{"replies-after-quit", "C: QUIT\\r\\nNOOP\nS: \\+OK.*off\nS: \\+OK nothing done\n(close)"},
		{"failure-cancels-batch", "C: USER user\\r\\nPASS no\\r\\nSTAT\nS: \\+OK.*\nS: -ERR.*\nC: USER nobody\nS: \\+OK.*"},
		{"code-bad-grammar", "C: USER user\nS: \\+OK.*\nC: PASS no\nS: -ERR \\[AUTH//BAD PASSWORD\\].*"},
		{"code-unregistered", "C: USER user\nS: \\+OK.*\nC: PASS no\nS: -ERR \\[BAD-PASSWORD\\].*"},
		{"auth-code-on-user", "C: USER nobody\nS: -ERR \\[AUTH\\].*"},
		{"stls-after-login", login + "C: STLS\nS: \\+OK.*\n(tls)\nC: STAT\nS: \\+OK 0 0"},
		{"stls-in-tls", "C: STLS\nS: \\+OK.*\n(tls)\nC: STLS\nS: \\+OK.*\nC: FOO\nS: -ERR.*"},
		{"keeps-clear-octets-behind-stls", "C: STLS\\r\\nFOO\\r\\nCA\\\nS: \\+OK.*\n(tls)\nC: PA\nS: -ERR unknown.*\nS: \\+OK Cap.*\\."},
		{"name-outlives-stls", "C: USER user\nS: \\+OK.*\nC: STLS\nS: \\+OK.*\n(tls)\nC: PASS p w\nS: \\+OK.*\nC: STAT\nS: \\+OK.*"},
		{"failed-handshake-goes-on-in-clear", "C: STLS\nS: \\+OK.*\nC: FOO\nS: -ERR.*"},
		{"failed-handshake-goes-on-in-clear", "C: STLS\nS: \\+OK.*\n(tls)\nC: FOO\nS: -ERR.*"},
		{"no-close-notify", "C: QUIT\nS: \\+OK.*\n(close)"},
	} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			srv := pop3test.NewServer(t)
			srv.Use(faultNamed(t, test.fault))
			c := connectTo(t, srv, srv.Addr)
			c.say("S: \\+OK .*\n" + test.conversation)
		})
	}
}

// What the faults at login do not touch still works: each lets a client in that
// makes no mistakes, in TLS.
func TestLoginFaultsLetCarefulClientsIn(t *testing.T) {
	t.Parallel()
	const prefixes = "P3-USR P3-APOP P3-AUTH P3-PLAIN P3-EXT P3-CRAM P3-SCRAM P3-OAUTH P3-CAPA P3-PIPE P3-RSP P3-TLS"
	for _, fault := range pop3test.Faults() {
		ours := false
		for prefix := range strings.FieldsSeq(prefixes) {
			ours = ours || strings.HasPrefix(fault.Rules[0], prefix+"-")
		}
		if !ours || fault.Certificate != "" { // that one nobody should take
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			srv := pop3test.NewServer(t)
			srv.AllowAPOP(pop3test.User, pop3test.Password)
			srv.Use(fault)
			c := connectTo(t, srv, srv.AddrTLS)
			c.say("(tls)\nS: \\+OK.*\nC: CAPA\nS: \\+OK.*\\.\nC: USER user\nS: \\+OK.*\nC: PASS p w\nS: \\+OK.*\nC: STAT\nS: \\+OK 0 0")
		})
	}
}

// A client that speaks TLS on the TLS port sees nothing of a server that would
// have talked to it in clear.
func TestTLSPortInClear(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	srv.Use(faultNamed(t, "tls-port-in-clear"))
	connectTo(t, srv, srv.AddrTLS).say("(tls)\nS: \\+OK.*\nC: QUIT\nS: \\+OK.*")
	connectTo(t, srv, srv.AddrTLS).say("C: QUIT\nS: \\+OK.*\nS: \\+OK.*")
}

func TestOldTLS(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	srv.Use(faultNamed(t, "old-tls"))
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		conf := srv.ClientTLS()
		conf.MinVersion, conf.MaxVersion = version, version
		nc, err := tls.Dial("tcp", srv.AddrTLS, conf)
		if err != nil {
			t.Errorf("%s: %v", tls.VersionName(version), err)
			continue
		}
		nc.Close()
	}
}
