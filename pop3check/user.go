package pop3check

import (
	"strings"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

func userChecks() []row {
	return []row{
		{"P3-USR-01", 0, userNeedsName},
		{"P3-USR-04", 0, passNeedsUser},
		{"P3-USR-05", Login, passwordSpaces},
		{"P3-USR-06", Login, passDecides},
		{"P3-USR-07", Login, userAnnounced},
		{"P3-USR-08", STLS, authNothingInClear},
		{"P3-USR-09", Login | Clear, refusedAlike},
		{"P3-USR-10", Login, namesStayHidden},
		{"P3-USR-11", Login, userAgain},
		{"P3-USR-12", 0, passwordNotRepeated},
	}
}

// hasUser reports whether USER is announced, or nothing is.
func (p *probe) hasUser() bool {
	before := p.b.survey.before
	return before == nil || before.Has(pop3.CapUser)
}

// needsUser skips the check unless USER is announced, or nothing is.
func (p *probe) needsUser() {
	if !p.hasUser() {
		p.skip("the server does not announce USER")
	}
}

// userPass sends USER and PASS and returns the reply that decides.
func (c *conn) userPass(name, password string) reply {
	if r := c.cmd("USER %s", name); !r.ok {
		return r
	}
	return c.cmd("PASS %s", password)
}

// enterByUser logs in with USER and PASS, or skips the check.
func (c *conn) enterByUser() {
	c.guarded()
	r := c.again(func() reply { return c.userPass(c.p.t.User, c.p.t.Password) })
	if !r.ok && !c.p.over() {
		c.p.skip("could not log in with USER and PASS: %s", r)
	}
}

func userNeedsName(p *probe) {
	p.connect().no("USER")
}

func passNeedsUser(p *probe) {
	p.connect().no("PASS %s", wrongPassword)
}

// passwordSpaces puts a space before the password or behind it, which makes
// another one of it. A maildrop in use says that it was taken.
func passwordSpaces(p *probe) {
	p.needsUser()
	for _, wrong := range []string{p.t.Password + " ", " " + p.t.Password} {
		c := p.connect()
		c.guarded()
		r := c.userPass(p.t.User, wrong)
		p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "spaces around the password to belong to it", "%s", r)
		c.leave()
	}
}

func passDecides(p *probe) {
	p.needsUser()
	c := p.connect()
	c.enterByUser()
	c.ok("STAT")
	c.leave()

	c = p.connect()
	c.ok("USER %s", p.t.User)
	c.no("PASS %s", wrongPassword)
	c.mayEnd = true
	c.no("STAT")
	c.no("PASS %s", p.t.Password)
	if c.dead() {
		return
	}
	r := c.again(func() reply { return c.userPass(p.t.User, p.t.Password) })
	p.want(r.ok || c.closed, "USER and PASS to work again after a failed PASS", "%s", r)
}

// userAnnounced holds CAPA against what happens. Only the account's own name
// says something: any other may be refused for what it is.
func userAnnounced(p *probe) {
	c := p.connect()
	if !c.announcesUser() {
		c.leave()
	} else {
		c.guarded()
		c.ok("USER %s", p.t.User)
	}
	if p.t.Security != pop3client.RequireSTLS || p.over() {
		return
	}
	c = p.clear()
	if !c.announcesUser() {
		return
	}
	if c.mayWriteSecrets() {
		c.ok("USER %s", p.t.User)
		return
	}
	// The account's name must not be written here. Another one does when TLS
	// makes it welcome.
	refused := c.cmd("USER %s", nobody)
	if c = p.connect(); !refused.ok && c.cmd("USER %s", nobody).ok {
		p.fail("no USER in CAPA before TLS, where it is refused", "%s", refused)
	}
}

func (c *conn) announcesUser() bool {
	capa, _ := c.capa()
	return capa.Has(pop3.CapUser)
}

// refusedAlike compares right and wrong credentials where a server takes none,
// because the connection is in clear.
func refusedAlike(p *probe) {
	if p.t.Security == pop3client.Cleartext { // and the account has logged in
		p.skip("the account logs in in clear")
		return
	}
	for _, how := range []struct {
		name string
		try  func(c *conn, name, password string) (string, reply)
	}{
		{"USER and PASS", func(c *conn, name, password string) (string, reply) {
			r := c.cmd("USER %s", name)
			said := r.uniform(name)
			if r.ok {
				r = c.cmd("PASS %s", password)
				said += "; " + r.uniform(name)
			}
			return said, r
		}},
		{"AUTH PLAIN", func(c *conn, name, password string) (string, reply) {
			r := c.plain("\x00" + name + "\x00" + password)
			return r.uniform(name), r
		}},
	} {
		try := func(name, password string) (string, reply) {
			c := p.clear()
			c.guarded()
			c.mayEnd = true
			said, r := how.try(c, name, password)
			c.leave()
			return said, r
		}
		right, r := try(p.t.User, p.t.Password)
		if r.ok || r.code.Is(pop3.CodeInUse) {
			p.skip("the server takes passwords in clear")
		}
		if p.over() {
			return
		}
		for _, name := range []string{p.t.User, nobody} {
			wrong, _ := try(name, wrongPassword)
			p.want(right == wrong, "one refusal for right and wrong credentials by "+how.name, "%q and %q", right, wrong)
		}
	}
}

// namesStayHidden compares what a wrong password hears that belongs to a name
// with what one hears that does not. Of the time only a difference that nobody
// can mistake counts: one of more than a second, two times.
func namesStayHidden(p *probe) {
	p.needsPasswords()
	try := func(name string) (said string, took time.Duration) {
		c := p.connect()
		c.guarded()
		began := time.Now()
		said, r := c.knock(name, wrongPassword)
		took = time.Since(began)
		p.want(!r.ok, "a wrong password to be refused", "%s", r)
		c.leave()
		return said, took
	}
	known, k1 := try(p.t.User)
	unknown, u1 := try(nobody)
	p.want(known == unknown, "one refusal for a wrong password and an unknown name", "%q and %q", known, unknown)
	if p.hasUser() && p.offers("PLAIN") {
		known, unknown := p.wrongPlain(p.t.User), p.wrongPlain(nobody)
		p.want(known == unknown, "one refusal by AUTH PLAIN for a wrong password and an unknown name", "%q and %q", known, unknown)
	}
	if (k1-u1).Abs() < time.Second || p.over() {
		return
	}
	// In the other order: servers may delay each failure more than the last.
	_, u2 := try(nobody)
	_, k2 := try(p.t.User)
	known, unknown = "known", "unknown"
	apart := min(k1, k2)-max(u1, u2) > time.Second || min(u1, u2)-max(k1, k2) > time.Second
	p.want(!apart, "known and unknown names refused in the same time",
		"%s: %v and %v, %s: %v and %v", known, k1, k2, unknown, u1, u2)
}

// wrongPlain returns what AUTH PLAIN hears with a wrong password.
func (p *probe) wrongPlain(name string) string {
	c := p.connect()
	r := c.plain("\x00" + name + "\x00" + wrongPassword)
	c.leave()
	return r.uniform(name)
}

func userAgain(p *probe) {
	p.needsUser()
	c := p.connect()
	c.guarded()
	if r := c.cmd("USER %s", nobody); !r.ok && !p.over() {
		p.skip("the server refuses an unknown name: %s", r)
	}
	c.ok("USER %s", p.t.User)
	r := c.cmd("PASS %s", p.t.Password)
	if r.code.Is(pop3.CodeInUse) { // it is the right name
		return
	}
	p.want(r.ok, "the second USER to replace the first", "%s", r)
}

func passwordNotRepeated(p *probe) {
	p.needsPasswords()
	c := p.connect()
	c.mayEnd = true
	_, r := c.knock(nobody, wrongPassword)
	p.want(!strings.Contains(r.raw, wrongPassword), "a refusal that does not repeat the password", "it does")
}

// userUnchecked says why rules of P3-USR are no checks.
func userUnchecked() map[string]string {
	return map[string]string{
		"P3-USR-02": "a permission: nothing can break it; whether names can be told apart is P3-USR-10",
		"P3-USR-03": "a permission: nothing can break it; whether names can be told apart is P3-USR-09",
	}
}
