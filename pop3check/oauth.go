package pop3check

import (
	"encoding/json"
	"strings"

	"postfach/pop3"
)

func oauthChecks() []row {
	return []row{
		{"P3-OAUTH-01", Clear, oauthInClear},
		{"P3-OAUTH-02", Login, oauthTokenRequired},
		{"P3-OAUTH-03", 0, oauthUnknownKey},
		{"P3-OAUTH-05", 0, oauthFailure},
		{"P3-OAUTH-06", 0, oauthSeparator},
		{"P3-OAUTH-07", 0, oauthScheme},
		{"P3-OAUTH-08", 0, xoauth2Failure},
	}
}

func oauthInClear(p *probe) {
	for _, name := range []string{"OAUTHBEARER", "XOAUTH2"} {
		c := p.clear()
		capa, _ := c.capa()
		for _, announced := range upper(capa.Mechanisms()) {
			p.want(announced != name, "no "+name+" announced without TLS", "it is")
		}
		_, _, more := c.begin(name)
		p.want(!more, "AUTH "+name+" refused without TLS", "a challenge")
		c.close()
	}
}

// badToken is OAUTHBEARER's message with a token that no server takes. pairs
// stand in front of it.
func badToken(scheme string, pairs ...string) []byte {
	pairs = append(pairs, "auth="+scheme+" postfach-check-no-token")
	return []byte("n,a=" + nobody + ",\x01" + strings.Join(pairs, "\x01") + "\x01\x01")
}

// An oauthError is the JSON of a failure. status is a string in all of them.
type oauthError struct {
	Status any `json:"status"`
}

// fails plays a mechanism with a message that must fail, up to the failure.
func (c *conn) oauthFails(mechanism string, message []byte) oauthError {
	c.challenged(mechanism)
	c.respond(message)
	challenge, r, more := c.challenge()
	c.p.want(more, "a challenge that says what is wrong with the token", "%s", r)
	var e oauthError
	err := json.Unmarshal(challenge, &e)
	c.p.want(c.p.over() || err == nil && e.Status != nil, `JSON with "status"`, "%q", challenge)
	return e
}

// oauthTokenRequired leaves out of the message what must be there, the token
// first of all. That the whole message lets in needs a token.
func oauthTokenRequired(p *probe) {
	p.needsMechanism("OAUTHBEARER")
	header := "n,a=" + p.t.User + ","
	for _, wrong := range []struct{ what, message string }{
		{"a message without auth", header + "\x01\x01"},
		{"a message without auth, and with a host", header + "\x01host=localhost\x01\x01"},
		{"an empty token", header + "\x01auth=Bearer \x01\x01"},
		{"a message without its end", header + "\x01auth=Bearer postfach-check-no-token\x01"},
	} {
		c := p.connect()
		c.guarded()
		c.challenged("OAUTHBEARER")
		c.respond([]byte(wrong.message))
		_, r, more := c.challenge()
		if more {
			c.say("AQ==")
			r = c.verdict()
		}
		p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "-ERR to "+wrong.what, "%s", r)
		c.leave()
	}
}

// sameFailure holds a failure against that of the plain message.
func (p *probe) sameFailure(what string, message []byte) {
	p.needsMechanism("OAUTHBEARER")
	c := p.connect()
	plain := c.oauthFails("OAUTHBEARER", badToken("Bearer"))
	c.cancel()
	c = p.connect()
	other := c.oauthFails("OAUTHBEARER", message)
	c.cancel()
	p.want(p.over() || plain.Status == other.Status, what, "status %q instead of %q", other.Status, plain.Status)
}

func oauthUnknownKey(p *probe) {
	p.sameFailure("an unknown key to change nothing", badToken("Bearer", "foo=bar"))
}

func oauthScheme(p *probe) {
	p.sameFailure(`"bearer" read like "Bearer"`, badToken("bearer"))
}

func oauthFailure(p *probe) {
	p.needsMechanism("OAUTHBEARER")
	for _, answer := range []string{"AQ==", "*"} {
		c := p.connect()
		c.oauthFails("OAUTHBEARER", badToken("Bearer"))
		c.say("%s", answer)
		r := c.verdict()
		p.want(!r.ok, "-ERR behind the failure", "%s", r)
		c.leave()
	}
}

// oauthSeparator: a message of ^A alone may fail in one way or the other.
func oauthSeparator(p *probe) {
	p.needsMechanism("OAUTHBEARER")
	c := p.connect()
	_, r, more := c.begin("OAUTHBEARER AQ==")
	if more {
		c.say("AQ==")
		r = c.verdict()
	}
	p.want(!r.ok, "-ERR to a message without a token", "%s", r)
}

func xoauth2Failure(p *probe) {
	p.needsMechanism("XOAUTH2")
	c := p.connect()
	c.oauthFails("XOAUTH2", []byte("user="+nobody+"\x01auth=Bearer postfach-check-no-token\x01\x01"))
	c.respond(nil)
	r := c.verdict()
	p.want(!r.ok, "-ERR behind the failure", "%s", r)
}

// oauthUnchecked says why rules of P3-OAUTH are no checks.
func oauthUnchecked() map[string]string {
	return map[string]string{
		"P3-OAUTH-04": "needs a token that the server takes: without one any host and port fail",
		"P3-OAUTH-10": "a server's log is not on the wire",
	}
}
