package pop3server_test

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/sasl"
)

// badBearer is a message with a token that nobody knows.
const badBearer = "n,a=u,\x01auth=Bearer nothing\x01\x01"

// refusalOf reads the challenge that says why.
func refusalOf(t *testing.T, line string) map[string]string {
	t.Helper()
	octets, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(line, "+ "))
	said := map[string]string{}
	if err == nil {
		err = json.Unmarshal(octets, &said)
	}
	if err != nil {
		t.Errorf("%q: %v", line, err)
	}
	return said
}

// P3-OAUTH-05, P3-OAUTH-08: a client that was refused hears why, and then -ERR,
// whatever it says; and that was one try.
func TestTokenIsRefusedWithAReason(t *testing.T) {
	for _, answer := range []string{"AQ==", "*", "", "!", "QUIT", b64(badBearer)} {
		srv, log := newFullServer(three())
		c, _ := connectFull(t, srv, trusting(0))
		said := refusalOf(t, c.line("AUTH OAUTHBEARER "+b64(badBearer)))
		if said["status"] != "invalid_token" || said["scope"] != "mail" || said["openid-configuration"] != "https://issuer.example.com/.well-known/openid-configuration" {
			t.Error(said)
		}
		c.want(c.line(answer), refused)
		c.want(c.line("AUTH XOAUTH2"), "+ ")
		said = refusalOf(t, c.line(b64("user=u\x01auth=Bearer nothing\x01\x01")))
		if said["status"] == "" || said["scope"] != "mail" {
			t.Error(said)
		}
		c.want(c.line(answer), refused)
		c.want(c.enterSlowly(sasl.NewXOAuth2Client("u", token)), welcome)
		if n := strings.Count(log.String(), `msg="login failed"`); n != 2 {
			t.Errorf("%q: %d lines:\n%s", answer, n, log)
		}
	}
}

// The try counts when the token is refused, and not when the client has answered:
// else hanging up would be a way to guess.
func TestHangingUpDoesNotUndoARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, log := newFullServer(three())
		srv.Limits.FailureDelay = 2 * time.Second
		c, _ := connectFull(t, srv, trusting(0))
		begun := time.Now()
		refusalOf(t, c.line("AUTH OAUTHBEARER "+b64(badBearer)))
		if time.Since(begun) < 2*time.Second {
			t.Errorf("told after %v", time.Since(begun))
		}
		if !strings.Contains(log.String(), "mechanism=OAUTHBEARER name=u ") {
			t.Errorf("log:\n%s", log)
		}
		c.conn.Close()
	})
}

func TestThirdBadTokenEndsTheConnection(t *testing.T) {
	srv, log := newFullServer(three())
	srv.Limits.FailedLogins = 3
	c, _ := connectFull(t, srv, trusting(0))
	for range 3 {
		refusalOf(t, c.line("AUTH OAUTHBEARER "+b64(badBearer)))
		c.want(c.line("*"), refused)
	}
	c.talk("(close)")
	<-c.done
	if !strings.Contains(log.String(), "too many failed logins") {
		t.Errorf("log:\n%s", log)
	}
}

// P3-OAUTH-02, P3-OAUTH-03, P3-OAUTH-06, P3-OAUTH-07.
func TestTokenMessages(t *testing.T) {
	for message, ok := range map[string]bool{
		"n,,\x01auth=Bearer " + token + "\x01\x01":                            true,
		"n,a=u,\x01auth=bearer " + token + "\x01\x01":                         true,
		"n,a=u,\x01foo=bar\x01auth=BEARER " + token + "\x01x=\x01\x01":        true,
		"n,a=u,\x01host=pop.example.com\x01auth=Bearer " + token + "\x01\x01": true,
		"n,a=v,\x01auth=Bearer " + token + "\x01\x01":                         false, // somebody else's
		"n,a=u\x07,\x01auth=Bearer " + token + "\x01\x01":                     false,
		"n,a=u,\x01host=pop.example.org\x01auth=Bearer " + token + "\x01\x01": false, // P3-OAUTH-04
		"n,a=u,\x01auth=Bearer " + token + "\x01":                             false,
		"n,a=u,\x01auth=Bearer \x01\x01":                                      false,
		"n,a=u,\x01auth=Basic " + token + "\x01\x01":                          false,
		"n,a=u,\x01\x01": false,
		"\x01":           false,
		"p=tls-exporter,a=u,\x01auth=Bearer " + token + "\x01\x01":                false,
		"n,a=u,\x01auth=Bearer " + token + "\x01auth=Bearer nothing\x01\x01":      false,
		"n,a=u,\x01host=pop.example.com\x00\x01auth=Bearer " + token + "\x01\x01": false,
	} {
		srv, _ := newFullServer(three())
		c, _ := connectFull(t, srv, trusting(0))
		got := c.line("AUTH OAUTHBEARER " + b64(message))
		if strings.HasPrefix(got, "+ ") {
			got = c.line("AQ==")
		}
		if strings.HasPrefix(got, "+OK") != ok || !ok && !strings.HasPrefix(got, "-ERR [AUTH] ") {
			t.Errorf("%q: %q", message, got)
		}
	}
}

// atPort is a pipe that says which port was connected to.
type atPort struct {
	net.Conn
	port int
}

func (c *atPort) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: c.port} }

// P3-OAUTH-04: a token that was meant for another service is of no use here, as
// far as one can tell.
func TestTokenForAnotherPortIsRefused(t *testing.T) {
	for _, test := range []struct {
		port, said int
		ok         bool
	}{{995, 995, true}, {995, 0, true}, {995, 143, false}, {110, 995, false}, {1995, 995, true}, {1995, 143, true}} {
		srv, log := newFullServer(three())
		ours, theirs := net.Pipe()
		c := &client{t: t, conn: ours, done: make(chan struct{})}
		go func() {
			defer close(c.done)
			srv.ServeConnTLS(&atPort{theirs, test.port})
		}()
		c.handshake(trusting(0))
		c.talk("S: +OK POP3 server ready")
		got := c.enter(sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: token, Port: test.said}))
		if strings.HasPrefix(got, "+OK") != test.ok {
			t.Errorf("%d said at %d: %q", test.said, test.port, got)
		}
		if strings.Contains(log.String(), "token for another server") == test.ok {
			t.Errorf("log:\n%s", log)
		}
		ours.Close()
		<-c.done
	}
}

// Who cannot be asked is no reason to get another token.
func TestBrokenTokenSourceIsNoRefusal(t *testing.T) {
	srv, log := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	said := refusalOf(t, c.line("AUTH OAUTHBEARER "+b64("n,a=broken,\x01auth=Bearer x\x01\x01")))
	if said["status"] != "temporarily_unavailable" || len(said) != 1 {
		t.Error(said)
	}
	c.want(c.line("AQ=="), "-ERR [SYS/TEMP] internal error, try again later")
	if strings.Contains(log.String(), "login failed") {
		t.Errorf("log:\n%s", log)
	}
}

// P3-OAUTH-01.
func TestTokensAreForTLSOnly(t *testing.T) {
	srv, _ := newFullServer(three())
	srv.AllowCleartext = true
	c := connectTCP(t, srv)
	c.talk("S: +OK ...\nC: AUTH OAUTHBEARER " + b64("n,,\x01auth=Bearer "+token+"\x01\x01") + "\nS: -ERR TLS required, use STLS")
	srv, _ = newFullServer(three())
	srv.TLS = nil
	c = connectTCP(t, srv)
	c.talk("S: +OK ...\nC: AUTH XOAUTH2\nS: -ERR mechanism not available")
}
