package pop3check

import "regexp"

func statChecks() []row {
	return []row{
		{"P3-STAT-01", Login, statFormat},
		{"P3-STAT-02", Login | Destructive, statWithoutMarked},
		{"P3-STAT-03", Login, statNothingMore},
		{"P3-STAT-05", Login, statIsSum},
	}
}

func statFormat(p *probe) {
	c := p.filled(1)
	numbers := c.all(0)
	r := c.ok("STAT")
	p.want(matches(`(?i)^\+OK [0-9]+ [0-9]+\b`, r.raw), "+OK, a space, the count, a space, the size", "%q", r.raw)
	count, _ := c.stat()
	p.want(count == len(numbers), "as many messages as in LIST", "STAT says %d, LIST has %d", count, len(numbers))
}

// matches reports whether text matches a regular expression.
func matches(expression, text string) bool {
	return regexp.MustCompile(expression).MatchString(text)
}

func statWithoutMarked(p *probe) {
	c := p.filled(2)
	sizes := c.list()
	count, size := c.stat()
	n := c.anyMessage()
	c.ok("DELE %d", n)
	countLeft, sizeLeft := c.stat()
	p.want(countLeft == count-1, "a marked message not to be counted", "%d messages before DELE, %d after", count, countLeft)
	if size == sum(sizes) {
		p.want(sizeLeft == size-sizes[n], "the size without that of the marked message", "%d octets before DELE of %d, %d after", size, sizes[n], sizeLeft)
	}
	p.want(sizeLeft < size, "the size without that of the marked message", "%d octets before DELE, %d after", size, sizeLeft)
	c.ok("RSET")
	countAgain, sizeAgain := c.stat()
	p.want(countAgain == count && sizeAgain == size, "after RSET what it was before DELE", "%d %d instead of %d %d", countAgain, sizeAgain, count, size)
}

func statNothingMore(p *probe) {
	c := p.enter()
	r := c.ok("STAT")
	p.want(matches(`(?i)^\+OK +[0-9]+ +[0-9]+\r?\n$`, r.raw), "nothing behind the size", "%q", r.raw)
}

func statIsSum(p *probe) {
	c := p.filled(1)
	_, size := c.stat()
	total := sum(c.list())
	p.want(size == total, "the sum of the sizes in LIST", "STAT says %d, the sizes of LIST make %d", size, total)
}

// statUnchecked says why rules of P3-STAT are no checks.
func statUnchecked() map[string]string { return nil }
