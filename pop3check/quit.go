package pop3check

import "time"

func quitChecks() []row {
	return []row{
		{"P3-UPD-01", Login | Destructive, quitRemoves},
		{"P3-UPD-03", Login | Destructive, quitRemovesNothingElse},
		{"P3-UPD-04", Login, quitUnlocks},
		{"P3-UPD-06", Login | Destructive, quitIncomplete},
		{"P3-UPD-08", Login, hangupExpiresNothing},
	}
}

func quitRemoves(p *probe) {
	c := p.filled(2)
	before := c.identities()
	n := c.anyMessage()
	c.ok("DELE %d", n)
	c.ok("QUIT")
	c.leave()
	c = p.enter()
	after := c.identities()
	lost := gone(before, after)
	p.want(len(lost) == 1 && lost[0] == before[n], "the marked message to be gone", "gone: %v, marked: %q", lost, before[n])
}

func quitRemovesNothingElse(p *probe) {
	c := p.filled(4)
	before := c.identities()
	numbers := c.all(4)
	if len(numbers) < 4 {
		return
	}
	first, marked, last := numbers[0], numbers[1], numbers[len(numbers)-1]
	c.ok("RETR %d", first)
	one := c.body()
	c.ok("RETR %d", last)
	other := c.body()
	c.ok("DELE %d", marked)
	c.ok("DELE %d", last)
	c.ok("RSET")
	c.ok("DELE %d", marked)
	c.ok("QUIT")
	c.leave()
	c = p.enter()
	after := c.identities()
	for _, id := range gone(before, after) {
		p.want(id == before[marked], "the messages that were not marked to be there", "gone: %v, marked: %q", gone(before, after), before[marked])
	}
	left := c.all(0)
	if p.over() || len(left) < 2 {
		p.want(p.over(), "the messages that were not marked to be there", "%d messages are left of %d", len(left), len(numbers))
		return
	}
	c.ok("RETR %d", left[0])
	p.same("the first message to be as it was", one, c.body())
	c.ok("RETR %d", left[len(left)-1])
	p.same("the last message to be as it was", other, c.body())
}

func quitUnlocks(p *probe) {
	c := p.enter()
	c.quit()
	c = p.connect()
	c.auth()
	c.leave()
	if !p.t.Destructive {
		return
	}
	c = p.filled(1)
	c.ok("DELE %d", c.anyMessage())
	c.quit()
	c = p.connect()
	c.auth()
}

func quitIncomplete(p *probe) {
	c := p.filled(2)
	before := c.identities()
	n := c.anyMessage()
	c.ok("DELE %d", n)
	c.send("QUIT")
	c.hangup(false)
	c = p.enter()
	after := c.identities()
	p.want(len(gone(before, after)) == 0, "QUIT without its line end to remove nothing", "gone: %v", gone(before, after))
	n = c.numberBy(after, before[n])
	c.ok("DELE %d", n)
	c.send("QUIT\r\n")
	c.hangup(false)
	// Nothing tells when the server has done it: it is asked until it has.
	for end := time.Now().Add(p.t.inUse()); ; {
		c = p.enter()
		left := c.identities()
		if len(left) < len(after) || p.over() {
			return
		}
		c.leave()
		if time.Now().After(end) {
			p.fail("a whole QUIT to remove the marked message, although the connection ended right behind it", "it is there %v later", p.t.inUse())
			return
		}
		select {
		case <-time.After(p.t.quiet()):
		case <-p.ctx.Done():
		}
	}
}

// numberBy returns the number of the message with this identity.
func (c *conn) numberBy(identities map[int]string, id string) int {
	for n, other := range identities {
		if other == id {
			return n
		}
	}
	c.p.fail("the message to be there", "%q is not", id)
	return 0
}

func hangupExpiresNothing(p *probe) {
	c := p.filled(1)
	before := c.identities()
	c.ok("RETR %d", c.anyMessage())
	c.body()
	c.hangup(true)
	c = p.enter()
	after := c.identities()
	p.want(len(gone(before, after)) == 0, "messages that were read to be there after a session without QUIT", "gone: %v", gone(before, after))
}

// quitUnchecked says why rules of P3-UPD are no checks.
func quitUnchecked() map[string]string {
	return map[string]string{
		"P3-UPD-02": "needs a maildrop from which the server cannot remove messages",
		"P3-UPD-05": "needs the server to be killed at the right moment",
		"P3-UPD-09": "needs the server to be killed at many moments",
	}
}
