package pop3check

func rsetChecks() []row {
	return []row{
		{"P3-RSET-01", Login | Destructive, rsetUnmarks},
		{"P3-RSET-02", Login, rsetNothingMarked},
	}
}

func rsetUnmarks(p *probe) {
	c := p.filled(3)
	before := c.identities()
	count, size := c.stat()
	numbers := c.all(2)
	if len(numbers) < 2 {
		return
	}
	c.ok("DELE %d", numbers[0])
	c.ok("DELE %d", numbers[1])
	c.ok("RSET")
	countAfter, sizeAfter := c.stat()
	p.want(countAfter == count && sizeAfter == size, "RSET to take all marks away", "STAT said %d %d before, %d %d after", count, size, countAfter, sizeAfter)
	after := c.identities()
	sameListing(p, "RSET to take all marks away", before, after)
	c.ok("QUIT")
	c.leave()
	c = p.enter()
	after = c.identities()
	p.want(len(gone(before, after)) == 0, "QUIT to remove nothing", "gone: %v", gone(before, after))
}

func rsetNothingMarked(p *probe) {
	c := p.enter()
	c.ok("RSET")
	if count, _ := c.stat(); count > 0 && !p.t.Destructive {
		p.note("with messages; an empty maildrop was not tried, because messages may not be removed here")
		return
	}
	c.leave()
	c = p.emptied()
	c.ok("RSET")
	count, _ := c.stat()
	p.want(count == 0, "RSET to change nothing", "%d messages in what was an empty maildrop", count)
}

// rsetUnchecked says why rules of P3-RSET are no checks.
func rsetUnchecked() map[string]string { return nil }
