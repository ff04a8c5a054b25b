package pop3check

import "maps"

func noopChecks() []row {
	return []row{{"P3-NOOP-01", Login, noop}}
}

func noop(p *probe) {
	c := p.connect()
	c.no("NOOP")
	c.leave()
	c = p.enter()
	before := c.list()
	count, size := c.stat()
	c.ok("NOOP")
	c.silent("one line in reply to NOOP")
	countAfter, sizeAfter := c.stat()
	p.want(countAfter == count && sizeAfter == size && maps.Equal(before, c.list()), "NOOP to change nothing",
		"STAT said %d %d before, %d %d after", count, size, countAfter, sizeAfter)
}

// noopUnchecked says why rules of P3-NOOP are no checks.
func noopUnchecked() map[string]string { return nil }
