package pop3check

import (
	"crypto/md5"
	"encoding/hex"
	"regexp"
	"strings"

	"postfach/pop3"
	"postfach/pop3client"
)

func apopChecks() []row {
	return []row{
		{"P3-APOP-01", Login, apopDigest},
		{"P3-APOP-02", Login, apopDecides},
		{"P3-APOP-03", 0, apopNeedsBoth},
		{"P3-APOP-04", Login, apopOrPass},
		{"P3-APOP-05", Login, apopState},
		{"P3-APOP-06", Login, apopPrepares},
		{"P3-APOP-07", Login, apopHex},
	}
}

// timestamp returns the APOP timestamp of the greeting, brackets included, ""
// if it has none.
func (c *conn) timestamp() string {
	return regexp.MustCompile(`<[^<> ]+@[^<> ]+>`).FindString(c.greeting.raw)
}

// md5Hex is MD5 in lower-case hexadecimal digits.
func md5Hex(octets string) string {
	sum := md5.Sum([]byte(octets))
	return hex.EncodeToString(sum[:])
}

// apop connects where the greeting's timestamp holds, which is before STLS, and
// skips the check where there is none.
func (p *probe) apop() (c *conn, timestamp string) {
	c = p.clear()
	timestamp = c.timestamp()
	if timestamp == "" {
		p.skip("the server does not announce APOP")
	}
	c.guarded()
	return c, timestamp
}

// enterByAPOP logs in with APOP, or skips the check.
func (p *probe) enterByAPOP() (c *conn, timestamp string) {
	c, timestamp = p.apop()
	r := c.again(func() reply { return c.cmd("APOP %s %s", p.t.User, md5Hex(timestamp+p.t.secret())) })
	if !r.ok && !p.over() {
		p.skip("could not log in with APOP; the account may have another secret: %s", r)
	}
	return c, timestamp
}

// apopDigest: that the right digest is refused says nothing, unless the
// account's secret is known for sure. That a wrong one is taken does.
func apopDigest(p *probe) {
	c, timestamp := p.apop()
	r := c.again(func() reply { return c.cmd("APOP %s %s", p.t.User, md5Hex(timestamp+p.t.secret())) })
	if r.ok || p.over() {
		return
	}
	p.want(p.t.Secret == "" || p.t.Security == pop3client.RequireSTLS, "the digest of timestamp and secret to be taken", "%s", r)
	for _, wrong := range []func(timestamp string) string{
		func(ts string) string { return md5Hex(strings.Trim(ts, "<>") + p.t.secret()) },
		func(ts string) string { return md5Hex(p.t.secret() + ts) },
	} {
		c, timestamp = p.apop()
		r := c.cmd("APOP %s %s", p.t.User, wrong(timestamp))
		p.want(!r.ok, "MD5 over the timestamp with its brackets, then the secret", "+OK to another digest")
	}
	p.skip("APOP did not let the account in; it may have another secret: %s", r)
}

func apopDecides(p *probe) {
	c, _ := p.enterByAPOP()
	c.ok("STAT")
	c.leave()

	c, timestamp := p.apop()
	right := md5Hex(timestamp + p.t.secret())
	c.no("APOP %s %s", p.t.User, md5Hex(timestamp+wrongPassword))
	c.mayEnd = true
	c.no("STAT")
	c.no("APOP %s %.31s", p.t.User, right)
}

func apopNeedsBoth(p *probe) {
	c := p.clear()
	name := nobody
	if p.t.User != "" && c.mayWriteSecrets() {
		name = p.t.User
	}
	c.no("APOP %s", name)
	c.mayEnd = true
	c.no("APOP")
}

func apopOrPass(p *probe) {
	c, _ := p.enterByAPOP()
	c.leave()
	c = p.connect()
	c.guarded()
	r := c.again(func() reply { return c.userPass(p.t.User, p.t.Password) })
	p.want(!r.ok, "USER and PASS refused for a name that may use APOP", "%s", r)
}

func apopState(p *probe) {
	c := p.clear()
	c.guarded()
	if timestamp := c.timestamp(); timestamp == "" {
		c.no("APOP %s %s", p.t.User, md5Hex(p.t.secret()))
	}
	c.leave()
	c = p.enter()
	c.no("APOP %s %s", p.t.User, md5Hex(c.timestamp()+p.t.secret()))
	c.ok("NOOP")
}

// apopPrepares sends the account's name with a soft hyphen behind it, which
// SASLprep takes away.
func apopPrepares(p *probe) {
	if utf8, _ := p.b.survey.before.Lookup(pop3.CapUTF8); !utf8.Has("USER") {
		p.skip("the server does not announce UTF8 USER")
	}
	c, _ := p.enterByAPOP()
	c.leave()
	c, timestamp := p.apop()
	c.ok("UTF8")
	r := c.again(func() reply { return c.cmd("APOP %s\u00ad %s", p.t.User, md5Hex(timestamp+p.t.secret())) })
	p.want(r.ok, "a name to be prepared before it is looked up", "%s", r)
}

func apopHex(p *probe) {
	c, _ := p.enterByAPOP()
	c.leave()
	c, timestamp := p.apop()
	right := md5Hex(timestamp + p.t.secret())
	c.no("APOP %s %s0", p.t.User, right)
	c.leave()
	c, timestamp = p.apop()
	r := c.cmd("APOP %s %s", p.t.User, strings.ToUpper(md5Hex(timestamp+p.t.secret())))
	p.note("upper-case digits: %s", r)
}

// apopUnchecked says why rules of P3-APOP are no checks.
func apopUnchecked() map[string]string {
	return map[string]string{
		"P3-APOP-08": "what a server does without configuration is not visible",
		"P3-APOP-10": "the length of a secret is not visible",
	}
}
