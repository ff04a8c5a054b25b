package pop3check

import (
	"bytes"
	"context"
	"time"

	"postfach/pop3"
)

func lockChecks() []row {
	return []row{
		{"P3-LCK-01", Login, lockExclusive},
		{"P3-LCK-02", Login, lockRefusal},
		{"P3-LCK-03", Login, lockAfterRefusal},
		{"P3-LCK-04", Login, lockAfterQuit},
		{"P3-LCK-05", Login, lockAfterHangup},
		{"P3-LCK-06", Login | Destructive, lockNothingMarked},
		{"P3-LCK-07", Login | Mail, lockSnapshot},
		{"P3-LCK-08", Login | Mail, lockOthers},
		{"P3-LCK-09", Login, lockInUse},
	}
}

// lockUnchecked says why rules of P3-LCK are no checks.
func lockUnchecked() map[string]string { return nil }

func lockExclusive(p *probe) {
	a := p.enter()
	b := p.connect()
	r := b.tryAuth()
	p.want(!r.ok, "-ERR to a second login while the first session lasts", "%s", r)
	a.ok("STAT")
}

// second logs in a second time. Where that is possible the check cannot be
// made: P3-LCK-01 has told.
func (p *probe) second() (*conn, reply) {
	c := p.connect()
	r := c.tryAuth()
	if r.ok {
		p.skip("the server lets two sessions in at once (P3-LCK-01)")
	}
	return c, r
}

func lockRefusal(p *probe) {
	a := p.enter()
	b, _ := p.second()
	if r, open := b.answer("STAT"); open {
		p.want(!r.ok, "the AUTHORIZATION state after a maildrop was not opened", "%q to STAT", r)
	}
	a.ok("NOOP")
}

// releaseTime is how long a lock may outlive its session.
func (t *Target) releaseTime() time.Duration { return min(t.timeout(), 10*time.Second) }

// letIn logs in, as soon as it is possible.
func (p *probe) letIn(want string) *conn {
	end := time.Now().Add(p.t.releaseTime())
	for !p.over() {
		c := p.connect()
		r := c.tryAuth()
		if r.ok || p.over() {
			return c
		}
		c.leave()
		if time.Now().After(end) {
			p.fail(want, "%s, for %v", r, p.t.releaseTime())
		}
		p.pause(200 * time.Millisecond)
	}
	return &conn{p: p}
}

// Both logins that are refused stay connected: what they hold they hold on to.
func lockAfterRefusal(p *probe) {
	p.enter().leave()
	wrong := p.connect()
	r := wrong.wrongLogin()
	p.want(!r.ok, "-ERR to a wrong password", "%s", r)
	a := p.letIn("no lock after a login with a wrong password")

	b := p.connect()
	if r := b.tryAuth(); r.ok {
		b.leave() // the server has no exclusive lock
	}
	a.leave()
	p.letIn("no lock after a login that was refused").ok("STAT")
}

// The lock is released before the connection is closed, so that the next login
// need not wait.
func lockAfterQuit(p *probe) {
	const want = "no lock after QUIT and the end of the connection"
	p.enter().quit()
	p.letInAtOnce(want)
	if !p.t.Destructive || p.t.Deliver == nil {
		return
	}
	c := p.filled(1)
	c.ok("DELE %d", c.anyMessage())
	c.quit()
	p.letInAtOnce(want + ", when a message was removed")
}

// letInAtOnce logs in, and out again.
func (p *probe) letInAtOnce(want string) {
	c := p.connect()
	r := c.tryAuth()
	p.want(r.ok, want, "%s", r)
	c.quit()
}

func lockAfterHangup(p *probe) {
	c := p.enter()
	c.hangup(true)
	since := time.Now()
	c = p.letIn("no lock after a reset")
	c.hangup(false)
	p.letIn("no lock after the end of the connection").ok("STAT")
	p.note("two logins in %v", time.Since(since).Round(time.Millisecond))
}

func lockNothingMarked(p *probe) {
	c := p.filled(2)
	count, size := c.stat()
	sizes := c.list()
	c.ok("DELE %d", c.anyMessage())
	c.hangup(false)
	c = p.letIn("a new session")
	count2, size2 := c.stat()
	p.want(count2 == count && size2 == size, "STAT of all messages in a new session", "%d %d instead of %d %d", count2, size2, count, size)
	sameListing(p, "a new session without marked messages", sizes, c.list())
}

// put delivers a message that is nothing special.
func (p *probe) put(n int) error {
	ctx, cancel := context.WithTimeout(p.ctx, p.t.timeout())
	defer cancel()
	return p.t.Deliver(ctx, newMessage("filler", filler(n)).stored)
}

func lockSnapshot(p *probe) {
	if p.t.Deliver == nil {
		p.skip("needs a way to deliver a message during a session")
	}
	c := p.filled(1)
	count, size := c.stat()
	sizes, ids := c.list(), c.idsIfAny()
	if p.over() {
		return
	}
	if err := p.put(count); err != nil {
		p.skip("a message was not delivered: %v", err)
	}
	count2, size2 := c.stat()
	p.want(count2 == count && size2 == size, "STAT as before, after a delivery during the session", "%d %d instead of %d %d", count2, size2, count, size)
	sameListing(p, "LIST as before, after a delivery during the session", sizes, c.list())
	sameListing(p, "UIDL as before, after a delivery during the session", ids, c.idsIfAny())
	c.leave()
	c = p.letIn("a new session")
	if count2, _ = c.stat(); count2 <= count {
		p.skip("what was delivered is not there in the next session, either")
	}
}

// Whoever else changes the maildrop: deliveries are not kept waiting, and the
// numbers of the session stay.
func lockOthers(p *probe) {
	if p.t.Deliver == nil {
		p.skip("needs a way to deliver a message during a session")
	}
	a := p.filled(3)
	numbers := a.all(3)
	if len(numbers) < 3 {
		return
	}
	victim, last := numbers[len(numbers)-2], numbers[len(numbers)-1]
	before := a.read(last)
	if err := p.put(len(numbers)); err != nil {
		p.fail("a delivery that does not wait for the end of a session", "%v", err)
	}
	p.same("the same message under the same number after a delivery", before, a.read(last))
	if !p.t.Destructive {
		return
	}
	b := p.connect()
	if r := b.tryAuth(); !r.ok {
		p.note("only deliveries: no second session is let in")
		return
	}
	whole := a.read(victim)
	b.ok("DELE %d", victim)
	b.quit()
	const want = "-ERR, or the message that was there, after another session has removed it"
	r, open := a.answer("RETR %d", victim)
	p.want(open, want, "the connection's end")
	if r.ok {
		p.same(want, whole, a.body().data())
	}
	p.same("the same message under the same number after another session has removed the one before", before, a.read(last))
}

// read returns a message.
func (c *conn) read(n int) []byte {
	c.ok("RETR %d", n)
	return bytes.Clone(c.body().data())
}

func lockInUse(p *probe) {
	p.announces(pop3.CapRespCodes)
	a := p.enter()
	b, r := p.second()
	p.want(r.code.Is(pop3.CodeInUse), "[IN-USE] to the right password while another session has the maildrop", "%s", r)
	b.leave()
	c := p.connect()
	r = c.wrongLogin()
	p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "no [IN-USE] to a wrong password", "%s", r)
	a.ok("NOOP")
}
