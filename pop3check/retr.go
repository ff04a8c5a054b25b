package pop3check

import "postfach/pop3"

func retrChecks() []row {
	return []row{
		{"P3-RETR-01", Login | Mail, retrWhole},
		{"P3-RETR-02", Login, retrRefused},
		{"P3-RETR-03", Login, retrRemovesNothing},
	}
}

func retrWhole(p *probe) {
	names := []string{"dots", "lf", "header-only", "empty-line", "only-dots", "eight-bit", "long-header", "many-lines", "long-line"}
	c := p.login(names...)
	for _, name := range names {
		c.ok("RETR %d", c.number(name))
		p.sameMessage("the whole message "+name+", byte-stuffed, and the terminator", asSent(ourMessage(name).wire), c.body())
	}
	c.ok("NOOP")
}

func retrRefused(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	c = c.eachRefused(p.enter, "", append(c.absently("RETR %d"), "RETR")...)
	c.refusesMarked("RETR %d", n)
}

// retrRemovesNothing lets QUIT follow RETR only where messages may be removed:
// a server that breaks the rule would remove one.
func retrRemovesNothing(p *probe) {
	c := p.filled(1)
	before := c.identities()
	n := c.anyMessage()
	c.ok("RETR %d", n)
	c.body()
	after := c.identities()
	p.want(len(gone(before, after)) == 0, "RETR to mark nothing", "not listed any more: %v", gone(before, after))
	switch {
	case !p.t.Destructive:
		p.note("not marked in the session; QUIT behind RETR was not tried, because messages may not be removed here")
		return
	case p.b.expires0():
		p.note("not marked in the session; the server announces EXPIRE 0, so QUIT may remove it")
		return
	}
	c.ok("QUIT")
	c.leave()
	c = p.enter()
	after = c.identities()
	p.want(len(gone(before, after)) == 0, "the message to be there after QUIT", "gone: %v", gone(before, after))
}

// expires0 reports whether the server announces that messages which were read
// may be removed when the session ends.
func (b *bench) expires0() bool {
	for _, capa := range []pop3.Capabilities{b.survey.before, b.survey.after} {
		if e, ok := capa.Lookup(pop3.CapExpire); ok && e.Has("0") {
			return true
		}
	}
	return false
}

// retrUnchecked says why rules of P3-RETR are no checks.
func retrUnchecked() map[string]string { return nil }
