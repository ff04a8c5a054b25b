package pop3check

import (
	"bytes"
	"slices"
	"strings"
)

func messageChecks() []row {
	return []row{
		{"P3-MSG-01", Login, messagesNumbered},
		{"P3-MSG-02", Login | Destructive, messagesKeepNumbers},
		{"P3-MSG-03", Login, messageLineEndsCount},
		{"P3-MSG-04", Login, messageStuffingDoesNotCount},
		{"P3-MSG-05", Login, messageExactSizes},
		{"P3-MSG-06", Login, messageSizesInUTF8},
		{"P3-MSG-07", Login | Mail, messageLastLineEnd},
		{"P3-MSG-08", Login, messageFormat},
		{"P3-MSG-09", Login | Mail, messageOctets},
		{"P3-MSG-13", Login | Mail, messageLineFeedTrap},
		{"P3-MSG-14", Login, messageTwice},
	}
}

func messagesNumbered(p *probe) {
	c := p.filled(3)
	numbers := c.all(0)
	for i, n := range numbers {
		p.want(n == i+1, "the messages to be numbered from 1 without a gap", "message %d has the number %d", i+1, n)
	}
	count, _ := c.stat()
	p.want(count == len(numbers), "the numbers 1 to STAT's count", "STAT: %d messages; LIST: %d", count, len(numbers))
}

func messagesKeepNumbers(p *probe) {
	c := p.filled(3)
	hasIDs := p.b.has("UIDL")
	numbers := c.all(0)
	ids := make(map[int]string)
	if hasIDs {
		ids = c.uidl()
	}
	if len(numbers) < 3 {
		return
	}
	first, last := numbers[0], numbers[len(numbers)-1]
	c.ok("RETR %d", last)
	whole := c.body()
	c.ok("DELE %d", first)
	delete(ids, first)
	others := c.all(0)
	p.want(slices.Equal(others, numbers[1:]), "LIST to show the other messages under their numbers", "%v instead of %v", others, numbers[1:])
	if hasIDs {
		sameListing(p, "UIDL to show the other messages under their numbers", ids, c.uidl())
	}
	c.ok("RETR %d", last)
	p.same("the last number to stay that of the last message", whole, c.body())
	c.ok("RSET")
}

func messageLineEndsCount(p *probe) {
	c, numbers := p.sample("lf")
	for _, n := range numbers {
		c.ok("RETR %d", n)
		octets := int64(len(onWire(c.body().data())))
		size := c.size(n)
		p.want(p.sameSize(size, octets), "each line end to count as two octets", "message %d: LIST says %d, the message has %d", n, size, octets)
	}
}

// sameSize compares LIST's size with how many octets came. Of a message that is
// not ours two may be those of a last line end that it lacks: that is P3-MSG-07.
func (p *probe) sameSize(size, octets int64) bool {
	return size == octets || p.t.Deliver == nil && size+2 == octets
}

func messageStuffingDoesNotCount(p *probe) {
	c, numbers := p.sample("dots", "only-dots")
	looked := 0
	for _, n := range numbers {
		c.ok("RETR %d", n)
		b := c.body()
		octets, stuffed := int64(len(b.data())), int64(len(b)-len(".\r\n"))
		if octets == stuffed {
			continue
		}
		looked++
		size := c.size(n)
		p.want(p.sameSize(size, octets), "a size without the octets of byte-stuffing",
			"LIST says %d, the message has %d, stuffed %d", size, octets, stuffed)
	}
	if looked == 0 {
		p.skip("no message has a line that begins with a dot")
	}
}

func messageExactSizes(p *probe) {
	c, numbers := p.sample("dots", "only-dots", "lf", "no-end", "header-only", "no-blank", "empty-line", "eight-bit", "long-line", "long-header", "many-lines")
	sizes := c.list()
	for _, n := range numbers {
		c.ok("RETR %d", n)
		octets := int64(len(c.body().data()))
		p.want(p.sameSize(sizes[n], octets), "LIST to say how many octets RETR sends", "message %d: LIST says %d, RETR sends %d", n, sizes[n], octets)
		one := c.size(n)
		p.want(p.sameSize(one, octets), "LIST of one message to say how many octets RETR sends", "message %d: LIST says %d, RETR sends %d", n, one, octets)
	}
	p.note("the sizes of %d messages are exact", len(numbers))
}

func messageSizesInUTF8(p *probe) {
	p.announces("UTF8")
	c, numbers := p.sample("utf8-header", "eight-bit", "dots")
	c.sizesExact("without UTF8", numbers)
	c.leave()
	c = p.connect()
	c.ok("UTF8")
	c.auth()
	c.sizesExact("in UTF-8 mode", numbers)
}

// sizesExact compares LIST with RETR. A refusal of RETR says nothing about
// sizes.
func (c *conn) sizesExact(mode string, numbers []int) {
	for _, n := range numbers {
		if r := c.cmd("RETR %d", n); !r.ok {
			continue
		}
		octets := int64(len(c.body().data()))
		size := c.size(n)
		c.p.want(c.p.sameSize(size, octets), mode+" LIST to say how many octets RETR sends", "message %d: LIST says %d, RETR sends %d", n, size, octets)
	}
}

func messageLastLineEnd(p *probe) {
	c := p.login("no-end")
	n := c.number("no-end")
	c.ok("RETR %d", n)
	data := c.body().data()
	p.sameMessage("CR LF behind the last line", ourMessage("no-end").wire, data)
	size := c.size(n)
	p.want(size == int64(len(data)), "the added line end in LIST's size", "LIST says %d, RETR sends %d", size, len(data))
	all := c.list()
	p.want(all[n] == int64(len(data)), "the added line end in the listing's size", "LIST says %d, RETR sends %d", all[n], len(data))
	_, total := c.stat()
	p.want(total == sum(all), "the added line end in STAT's size", "STAT says %d, the sizes of LIST make %d", total, sum(all))
}

func messageFormat(p *probe) {
	c, numbers := p.sample("dots", "lf", "long-header")
	for _, n := range numbers {
		c.ok("RETR %d", n)
		data := c.body().data()
		p.want(!bytes.HasPrefix(data, []byte("From ")), "no separator line of an mbox in front of the message", "%.60q", data)
		if p.t.Deliver == nil {
			continue // what others put into their headers is not the server's doing
		}
		p.want(bytes.Contains(data, []byte("\r\n\r\n")), "an empty line between header and body", "none in message %d", n)
		for line := range bytes.Lines(bytes.TrimSuffix(header(data), []byte("\r\n"))) {
			p.want(isHeaderLine(string(line)), "a header of header fields", "the line %.60q in message %d", line, n)
		}
	}
}

// isHeaderLine reports whether a line is a header field, or goes on with one.
func isHeaderLine(line string) bool {
	if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
		return true
	}
	name, _, found := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	return found && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

func messageOctets(p *probe) {
	names := []string{"octets", "eight-bit", "long-line"}
	c := p.login(names...)
	for _, name := range names {
		c.ok("RETR %d", c.number(name))
		p.sameMessage("the octets of the message "+name+", as it was stored", ourMessage(name).wire, c.body().data())
	}
	c.leave()
	// What a delivery may take away is no verdict about the server: LIST tells
	// what it left.
	c = p.perhaps("nul", "bare-cr")
	var altered []string
	for _, name := range []string{"nul", "bare-cr"} {
		n := c.numbers[name]
		if n == 0 {
			altered = append(altered, name+" (not there)")
			continue
		}
		if r := c.cmd("RETR %d", n); !r.ok {
			altered = append(altered, name+" (refused)")
			continue
		}
		data := c.body().data()
		want := ourMessage(name).wire
		if bytes.Equal(withoutOthers(want, data), want) {
			continue
		}
		altered = append(altered, name)
		size := c.size(n)
		p.want(size == int64(len(data)), "the octets of the message "+name+", as it was stored, or none",
			"%d octets, which are others; LIST says %d", len(data), size)
	}
	if len(altered) > 0 {
		p.note("all octets but these, which the delivery or the server altered: %s", strings.Join(altered, ", "))
	}
}

func messageLineFeedTrap(p *probe) {
	c := p.login("lf-trap")
	c.ok("RETR %d", c.number("lf-trap"))
	p.sameMessage("LF . LF to become CR LF .. CR LF", asSent(ourMessage("lf-trap").wire), c.body())
	c.leave()
	c = p.perhaps("mixed-ends")
	n := c.numbers["mixed-ends"]
	if n == 0 {
		p.note("LF . LF in a message with CR LF: no delivery took it")
		return
	}
	c.ok("RETR %d", n)
	p.sameMessage("LF . LF to become CR LF .. CR LF", asSent(ourMessage("mixed-ends").wire), c.body())
}

func messageTwice(p *probe) {
	c, numbers := p.sample("dots", "lf", "long-header")
	for _, n := range numbers[:min(len(numbers), 5)] {
		c.ok("RETR %d", n)
		first := c.body()
		c.ok("RETR %d", n)
		p.same("the same octets from RETR the second time", first, c.body())
	}
}

// size asks for the size of one message.
func (c *conn) size(n int) int64 {
	r := c.ok("LIST %d", n)
	number, size, ok := sized(r.text)
	if !ok || number != n {
		c.p.fail("LIST of one message to say its number and size", "%s", r)
	}
	return size
}

// sum adds up sizes.
func sum(sizes map[int]int64) (total int64) {
	for _, size := range sizes {
		total += size
	}
	return total
}

// messageUnchecked says why rules of P3-MSG are no checks.
func messageUnchecked() map[string]string {
	return map[string]string{
		"P3-MSG-12": "needs a message of more than 4 GB in the maildrop",
	}
}
