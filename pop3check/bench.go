package pop3check

import (
	"context"
	"fmt"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

// A bench is one run of checks at one target: what they share.
type bench struct {
	t *Target

	surveyed bool
	survey   survey
	known    map[string]string // unique-id to the name of a message of ours, "" for others
	spoilt   []string          // the messages of which one keeps the account from logging in
	patience int               // after so many negative replies connections end, as far as that was seen; 0: not yet
}

// A survey is what is asked once, because many checks depend on it.
type survey struct {
	reached bool              // the server takes connections
	connect string            // why there is none that has begun as it must
	login   string            // why there is no login
	clear   pop3.Capabilities // before TLS; nil: no connection in clear, or no CAPA
	before  pop3.Capabilities // before login
	after   pop3.Capabilities // after login
	works   map[string]bool   // optional commands, where CAPA is not known
}

func newBench(t *Target) *bench {
	return &bench{t: t, known: make(map[string]string)}
}

// check makes one check, unless something that it needs is missing.
func (b *bench) check(ctx context.Context, c Check) Result {
	limit := 20 * b.t.timeout()
	if c.Needs.Has(Slow) {
		limit += 40 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	b.look(ctx)
	p := &probe{ctx: ctx, b: b, t: b.t}
	if why := b.missing(c); why != "" {
		p.skip("%s", why)
	} else {
		c.run(p)
	}
	p.leave()
	return p.result(c.Requirement)
}

// missing says why a check cannot be made, "" if it can.
func (b *bench) missing(c Check) string {
	n := c.Needs
	switch {
	case b.survey.connect != "" && !(c.beginning && b.survey.reached):
		return "no connection: " + b.survey.connect
	case n.Has(Login) && b.t.User == "":
		return "needs an account"
	case n.Has(Login) && b.survey.login != "":
		return "no login: " + b.survey.login
	case n.Has(Destructive) && !b.t.Destructive:
		return "removes messages; that is not allowed here"
	case n&(Clear|STLS) != 0 && b.t.Security == pop3client.ImplicitTLS:
		return "the connection is TLS from its first octet"
	case n.Has(STLS) && !b.survey.clear.Has(pop3.CapSTLS):
		return "the server does not announce STLS"
	case n.Has(Slow) && !b.t.Slow:
		return "takes minutes; that is not allowed here"
	}
	return ""
}

// look makes the survey, once.
func (b *bench) look(ctx context.Context) {
	if b.surveyed {
		return
	}
	b.surveyed = true
	p := &probe{ctx: ctx, b: b, t: b.t}
	defer p.leave()
	s := &b.survey
	if b.t.Security != pop3client.ImplicitTLS {
		c := p.clear()
		s.clear, _ = c.capa()
	}
	c := p.connect()
	s.reached = len(p.conns) > 0
	if p.over() {
		s.connect = p.got
		return
	}
	s.before, _ = c.capa()
	if b.t.User == "" || p.over() {
		return
	}
	c.auth()
	if p.over() {
		s.login = p.got
		return
	}
	var known bool
	if s.after, known = c.capa(); !known {
		s.works = map[string]bool{pop3.CapUIDL: c.works("UIDL")}
		if count, _ := c.stat(); count == 0 { // TOP needs a message
			c.leave()
			c = p.filled(1)
		}
		s.works[pop3.CapTop] = c.works("TOP 1 0")
	}
}

// has reports whether the server has an optional command or capability: CAPA
// says so, before login or after it, or where there is no CAPA the command
// works.
func (b *bench) has(tag string) bool {
	s := &b.survey
	return s.before.Has(tag) || s.after.Has(tag) || s.works[tag]
}

// Reach connects, makes TLS as Security says, and logs in when there is a User.
// It tells a server that cannot be judged from one that breaks rules. The
// error says what failed, in the server's words where it has some.
func (t *Target) Reach(ctx context.Context) (err error) {
	b := newBench(t)
	b.look(ctx)
	switch {
	case b.survey.connect != "":
		return &ReachError{Why: b.survey.connect}
	case b.survey.login != "":
		return &ReachError{Login: true, Why: b.survey.login}
	}
	return nil
}

// A ReachError says why a server cannot be judged.
type ReachError struct {
	Login bool // the connection stands, the login failed
	Why   string
}

func (e *ReachError) Error() string {
	if e.Login {
		return fmt.Sprintf("no login: %s", e.Why)
	}
	return fmt.Sprintf("no connection: %s", e.Why)
}
