package pop3check

import "fmt"

func deleChecks() []row {
	return []row{
		{"P3-DELE-01", Login | Destructive, deleMarksOnly},
		{"P3-DELE-02", Login | Destructive, deleRefusesTheNumber},
		{"P3-DELE-03", Login | Destructive, deleRefused},
	}
}

func deleMarksOnly(p *probe) {
	c := p.filled(2)
	before := c.identities()
	n := c.anyMessage()
	c.ok("DELE %d", n)
	marked := c.identities()
	_, listed := marked[n]
	p.want(!listed, "DELE to mark the message", "it is still listed")
	c.hangup(false)
	c = p.enter()
	after := c.identities()
	p.want(len(gone(before, after)) == 0, "the message to be there in the next session, for the UPDATE state was not reached", "gone: %v", gone(before, after))
}

func deleRefusesTheNumber(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	c.ok("DELE %d", n)
	marked := func() *conn {
		c := p.enter()
		c.ok("DELE %d", n)
		return c
	}
	var commands []string
	for _, command := range []string{"RETR %d", "LIST %d", "DELE %d", "UIDL %d", "TOP %d 0"} {
		commands = append(commands, fmt.Sprintf(command, n))
	}
	c = c.eachRefused(marked, "", commands...)
	c.mayEnd = true // the server's patience may be over
	c.ok("RSET")
}

func deleRefused(p *probe) {
	c := p.enter()
	c.eachRefused(p.enter, "STAT", append(c.absently("DELE %d"), "DELE")...)
}

// deleUnchecked says why rules of P3-DELE are no checks.
func deleUnchecked() map[string]string { return nil }
