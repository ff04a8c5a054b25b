package pop3check

import (
	"maps"
	"slices"
)

func listChecks() []row {
	return []row{
		{"P3-LIST-01", Login, listAll},
		{"P3-LIST-02", Login, listEmpty},
		{"P3-LIST-03", Login, listOne},
		{"P3-LIST-04", Login, listAbsent},
		{"P3-LIST-05", Login | Destructive, listWithoutMarked},
		{"P3-LIST-06", Login, listNothingMore},
	}
}

func listAll(p *probe) {
	stat := func(c *conn) int {
		count, _ := c.stat()
		return count
	}
	c := p.filledBy(3, stat)
	count := stat(c)
	c.ok("LIST")
	seen := make(map[int]bool)
	for _, line := range c.body().lines() {
		p.want(matches(`^[0-9]+ [0-9]+\b`, line), "lines of a message number, a space and a size", "%q", line)
		n, _, _ := sized(line)
		p.want(!seen[n], "one line for each message", "two for message %d", n)
		seen[n] = true
	}
	p.want(len(seen) == count, "a line for each message", "%d lines, STAT says %d messages", len(seen), count)
	for n := 1; n <= count; n++ {
		p.want(seen[n], "a line for each message", "none for message %d of %d", n, count)
	}
}

func listEmpty(p *probe) {
	c := p.emptied()
	c.ok("LIST")
	b := c.body()
	p.want(len(b.lines()) == 0, "nothing but the terminator for an empty maildrop", "%.80q", b)
}

func listOne(p *probe) {
	c := p.filled(2)
	sizes := c.list()
	numbers := c.all(0)
	for _, n := range numbers[:min(len(numbers), 10)] {
		r := c.ok("LIST %d", n)
		p.want(matches(`(?i)^\+OK [0-9]+ [0-9]+\b`, r.raw), "+OK, a space, the number, a space, the size", "%q", r.raw)
		number, size, _ := sized(r.text)
		p.want(number == n && size == sizes[n], "what the listing says of this message", "%s; in the listing: %d %d", r, n, sizes[n])
	}
}

func listAbsent(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	c = c.refuses("LIST %d")
	c.refusesMarked("LIST %d", n)
}

func listWithoutMarked(p *probe) {
	c := p.filled(3)
	sizes := c.list()
	numbers := slices.Sorted(maps.Keys(sizes))
	if len(numbers) < 3 {
		return
	}
	second := numbers[1]
	c.ok("DELE %d", second)
	delete(sizes, second)
	sameListing(p, "the listing without the marked message, and otherwise as it was", sizes, c.list())
	c.ok("RSET")
}

func listNothingMore(p *probe) {
	c := p.filled(1)
	c.ok("LIST")
	for _, line := range c.body().lines() {
		p.want(matches(`^[0-9]+ +[0-9]+$`, line), "nothing behind the size", "%q", line)
	}
	r := c.ok("LIST %d", c.anyMessage())
	p.want(matches(`(?i)^\+OK +[0-9]+ +[0-9]+\r?\n$`, r.raw), "nothing behind the size", "%q", r.raw)
}

// listUnchecked says why rules of P3-LIST are no checks.
func listUnchecked() map[string]string { return nil }
