package pop3check

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"regexp"
)

func cramChecks() []row {
	return []row{{"P3-CRAM-01", Login, cram}}
}

// cram looks at the challenges and at what they are answered with. That the
// right response is refused says nothing: the server may not have this
// account's secret.
func cram(p *probe) {
	p.needsMechanism("CRAM-MD5")
	c := p.connect()
	c.guarded()
	var first string
	r := c.again(func() reply {
		challenge := c.challenged("CRAM-MD5")
		p.want(regexp.MustCompile(`^<[!-;=?-~]+@[!-;=?-~]+>$`).Match(challenge), "a challenge like a msg-id", "%q", challenge)
		first = string(challenge)
		c.respond(cramResponse(challenge, p.t.User, p.t.secret()))
		return c.verdict()
	})
	c.leave()

	c = p.connect()
	second := c.challenged("CRAM-MD5")
	p.want(p.over() || string(second) != first, "another challenge each time", "%q twice", second)
	c.respond(cramResponse(second, p.t.User, wrongPassword))
	wrong := c.verdict()
	p.want(!wrong.ok, "-ERR to a wrong digest", "%s", wrong)
	c.leave()
	if !r.ok {
		p.want(p.t.Secret == "", "+OK to the right digest", "%s", r)
		c = p.connect()
		challenge := c.challenged("CRAM-MD5")
		c.respond([]byte(p.t.User + " " + hmacMD5(string(challenge), p.t.secret())))
		turned := c.verdict()
		p.want(!turned.ok, "HMAC-MD5 with the secret as its key", "+OK with the challenge as its key")
		p.skip("CRAM-MD5 did not let the account in; it may have another secret: %s", r)
	}
}

func cramResponse(challenge []byte, user, secret string) []byte {
	return []byte(user + " " + hmacMD5(secret, string(challenge)))
}

// hmacMD5 is HMAC-MD5 in lower-case hexadecimal digits.
func hmacMD5(key, text string) string {
	mac := hmac.New(md5.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// cramUnchecked says why rules of P3-CRAM are no checks.
func cramUnchecked() map[string]string {
	return map[string]string{
		"P3-CRAM-02": "needs an account with a space in its name",
	}
}
