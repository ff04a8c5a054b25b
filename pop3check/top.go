package pop3check

import (
	"bytes"
	"fmt"
	"strings"
)

func topChecks() []row {
	return []row{
		{"P3-TOP-01", Login, topLines},
		{"P3-TOP-02", Login, topBadArguments},
		{"P3-TOP-03", Login, topZero},
		{"P3-TOP-04", Login, topMoreThanBody},
		{"P3-TOP-05", Login, topCountsBodyLines},
		{"P3-TOP-06", Login, topAbsent},
		{"P3-TOP-07", Login, topAnnounced},
		{"P3-TOP-09", Login, topIsNoDownload},
		{"P3-TOP-10", Login | Mail, topWithoutBlank},
	}
}

// topOf is what TOP must send of a message, unstuffed: the header, the empty
// line and so many lines of the body.
func topOf(message []byte, lines int) []byte {
	head := header(message)
	end := len(head)
	for line := range bytes.Lines(message[len(head):]) {
		if lines == 0 {
			break
		}
		lines--
		end += len(line)
	}
	return message[:end]
}

func topLines(p *probe) {
	p.announces("TOP")
	c, numbers := p.sample("dots", "only-dots", "lf", "eight-bit")
	for _, n := range numbers {
		c.topAsRetr(n, 1, 2)
	}
}

// divided reports whether a message has an empty line behind its header. To one
// that has none TOP may add it (P3-TOP-10).
func divided(message []byte) bool { return bytes.Contains(message, []byte("\r\n\r\n")) }

// topAsRetr compares TOP with the beginning of what RETR sends, on the wire.
func (c *conn) topAsRetr(n int, lines ...int) {
	c.ok("RETR %d", n)
	whole := c.body().data()
	if !divided(whole) {
		return
	}
	for _, k := range lines {
		c.ok("TOP %d %d", n, k)
		c.p.same(fmt.Sprintf("the header, the empty line and %d lines of the body, byte-stuffed", k), asSent(topOf(whole, k)), c.body())
	}
}

func topBadArguments(p *probe) {
	p.announces("TOP")
	c := p.filled(1)
	n := c.anyMessage()
	c.eachRefused(p.enter, "", fmt.Sprint("TOP ", n), fmt.Sprintf("TOP %d -1", n), fmt.Sprintf("TOP %d x", n), "TOP")
}

func topZero(p *probe) {
	p.announces("TOP")
	c, numbers := p.sample("dots", "long-header", "header-only")
	for _, n := range numbers {
		c.ok("RETR %d", n)
		whole := c.body().data()
		if !divided(whole) {
			continue
		}
		c.ok("TOP %d 0", n)
		p.same("TOP with 0 to send the header and the empty line", header(whole), c.body().data())
	}
}

func topMoreThanBody(p *probe) {
	p.announces("TOP")
	c, numbers := p.sample("dots", "lf", "long-header", "many-lines")
	for _, n := range numbers {
		c.ok("RETR %d", n)
		whole := c.body()
		if !divided(whole) {
			continue
		}
		for _, k := range []string{"99999", "2147483647"} {
			c.ok("TOP %d %s", n, k)
			p.same("TOP "+k+" to send the whole message, as RETR does", whole, c.body())
		}
	}
}

func topCountsBodyLines(p *probe) {
	p.announces("TOP")
	if p.t.Deliver == nil {
		c, numbers := p.sample()
		for _, n := range numbers {
			c.topAsRetr(n, 1, 3, 20)
		}
		return
	}
	c := p.login("long-header", "many-lines", "long-line")
	c.topAsRetr(c.number("long-header"), 1, 2, 3, 4)
	c.topAsRetr(c.number("many-lines"), 2, 100)
	c.topAsRetr(c.number("long-line"), 1)
}

func topAbsent(p *probe) {
	p.announces("TOP")
	c := p.filled(1)
	n := c.anyMessage()
	c = c.eachRefused(p.enter, "", append(c.absently("TOP %d 1"), c.absently("TOP %d 0")...)...)
	c.refusesMarked("TOP %d 1", n)
}

func topAnnounced(p *probe) {
	p.announcedIfItWorks("TOP", "TOP %d 0")
}

// announcedIfItWorks compares CAPA, in both states, with whether a command that
// has a message number works.
func (p *probe) announcedIfItWorks(tag, command string) {
	c := p.connect()
	before, known := c.capa()
	if !known {
		p.skip("the server does not know CAPA")
	}
	c.leave()
	c = p.filled(1)
	after, known := c.capa()
	if !known {
		p.skip("the server does not know CAPA after the login")
	}
	works := c.works(fmt.Sprintf(command, c.anyMessage()))
	for _, at := range []struct {
		state string
		has   bool
	}{{"before the login", before.Has(tag)}, {"after the login", after.Has(tag)}} {
		p.want(at.has == works, tag+" in CAPA in both states exactly if it works",
			"in CAPA %s: %t; it works: %t", at.state, at.has, works)
	}
}

// topIsNoDownload lets QUIT follow TOP only where messages may be removed: a
// server that breaks the rule would remove them.
func topIsNoDownload(p *probe) {
	p.announces("TOP")
	c := p.filled(1)
	before := c.identities()
	numbers := c.all(1)
	last := c.cmd("LAST")
	for _, n := range numbers[:min(len(numbers), sampleLimit)] {
		c.ok("TOP %d 99999", n)
		c.body()
	}
	if last.ok {
		now := c.ok("LAST")
		p.want(strings.TrimSpace(last.text) == strings.TrimSpace(now.text), "TOP not to change LAST", "%s before TOP, %s after", last, now)
	}
	switch {
	case p.t.Destructive:
		c.ok("QUIT")
		c.leave()
		c = p.enter()
		after := c.identities()
		p.want(len(gone(before, after)) == 0, "messages to be there after TOP and QUIT", "gone: %v", gone(before, after))
	case !last.ok:
		p.skip("the server has no LAST, and QUIT behind TOP is not tried where messages may not be removed")
	}
}

func topWithoutBlank(p *probe) {
	p.announces("TOP")
	c := p.login("no-blank", "header-only")
	for _, name := range []string{"header-only", "no-blank"} {
		c.ok("TOP %d 0", c.number(name))
		top := c.body().data()
		p.want(divided(top) && len(header(top)) == len(top), "the header and one empty line, of the message "+name,
			"%q at its end", top[max(0, len(top)-60):])
		p.sameMessage("the header and one empty line", withBlank(ourMessage(name).wire), top)
	}
}

// withBlank is a message of a header only, with the empty line behind it.
func withBlank(message []byte) []byte {
	if divided(message) {
		return message
	}
	return append(bytes.Clone(message), "\r\n"...)
}

// topUnchecked says why rules of P3-TOP are no checks.
func topUnchecked() map[string]string {
	return map[string]string{
		"P3-TOP-08": "a permission: nothing can break it",
	}
}
