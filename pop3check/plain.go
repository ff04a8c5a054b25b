package pop3check

import (
	"slices"
	"strings"

	"postfach/pop3"
)

func plainChecks() []row {
	return []row{
		{"P3-PLAIN-01", Login, plainGrammar},
		{"P3-PLAIN-02", 0, plainLongFields},
		{"P3-PLAIN-03", Login, plainIdentity},
		{"P3-PLAIN-04", Login, plainPrepared},
		{"P3-PLAIN-05", STLS, plainProtected},
	}
}

// refuses sends PLAIN messages that must not let the account in, two to a
// connection. A maildrop in use says that the credentials were taken.
func (p *probe) refuses(messages []plainMessage) {
	p.needsMechanism("PLAIN")
	var c *conn
	for i, m := range messages {
		if i%2 == 0 || c.closed {
			c = p.connect()
			c.guarded()
		}
		r := c.plain(m.octets)
		p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "-ERR to "+m.what, "%s", r)
		c.mayEnd = true
	}
}

type plainMessage struct{ what, octets string }

func plainGrammar(p *probe) {
	user, password := p.t.User, p.t.Password
	p.refuses([]plainMessage{
		{"a message without NUL", user + password},
		{"a message with one NUL", user + "\x00" + password},
		{"a message with three NULs", "\x00" + user + "\x00" + password + "\x00"},
		{"an empty name", user + "\x00\x00" + password},
		{"an empty password", "\x00" + user + "\x00"},
	})
}

// plainLongFields compares fields of 255 octets with short ones that are as
// wrong: a server that takes the length says the same of both.
func plainLongFields(p *probe) {
	p.needsMechanism("PLAIN")
	try := func(name, password string) reply {
		c := p.connect()
		r := c.plain(name + "\x00" + name + "\x00" + password)
		p.want(!r.ok, "-ERR to wrong credentials", "%s", r)
		c.mayEnd = true
		if r := c.cmd("QUIT"); !c.closed {
			p.want(r.ok, "one reply, then +OK to QUIT", "%s", r)
		}
		c.leave()
		return r
	}
	short := try(nobody, wrongPassword)
	long := try(strings.Repeat("n", 255), strings.Repeat("p", 255))
	p.want(long.code.Is(short.code) && short.code.Is(long.code),
		"fields of 255 octets refused like shorter ones that are wrong", "%q and %q", long.String(), short.String())
}

func plainIdentity(p *probe) {
	p.needsMechanism("PLAIN")
	c := p.connect()
	c.guarded()
	r := c.again(func() reply { return c.plain(p.t.User + p.rightPlain()) })
	p.want(r.ok, "the account to act as itself", "%s", r)
	c.leave()
	p.refuses([]plainMessage{{"another authorization identity", nobody + p.rightPlain()}})
}

func plainPrepared(p *probe) {
	p.refuses([]plainMessage{
		{"a password that preparation makes empty", "\x00" + p.t.User + "\x00\u00ad"},
		{"a name that preparation makes empty", "\x00\u00ad\x00" + p.t.Password},
	})
}

// plainProtected: what protects a connection enough is for its server to say
// (loopback, a tunnel). One that takes USER behind TLS only has said it.
func plainProtected(p *probe) {
	capa := p.b.survey.clear
	if !slices.Contains(upper(capa.Mechanisms()), "PLAIN") {
		return
	}
	r := p.clear().cmd("USER %s", nobody)
	if r.ok {
		p.note("the server takes passwords in clear: its operator may want that")
		return
	}
	p.want(!p.secure().cmd("USER %s", nobody).ok, "no PLAIN announced in clear, where USER is refused", "%s", r)
}

// plainUnchecked says why rules of P3-PLAIN are no checks.
func plainUnchecked() map[string]string { return nil }
