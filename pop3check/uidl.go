package pop3check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func uidlChecks() []row {
	return []row{
		{"P3-UIDL-01", Login, uidlListing},
		{"P3-UIDL-02", Login, uidlNothingMore},
		{"P3-UIDL-03", Login, uidlCharacters},
		{"P3-UIDL-04", Login, uidlUnique},
		{"P3-UIDL-05", Login, uidlPersists},
		{"P3-UIDL-06", Login | Mail | Destructive, uidlNeverReused},
		{"P3-UIDL-07", Login, uidlAbsent},
		{"P3-UIDL-08", Login, uidlAnnounced},
		{"P3-UIDL-09", Login | Destructive, uidlStays},
	}
}

func uidlListing(p *probe) {
	p.announces("UIDL")
	c := p.filled(2)
	numbers := c.all(0)
	c.ok("UIDL")
	ids := make(map[int]string)
	for _, line := range c.body().lines() {
		p.want(matches(`^[0-9]+ [^ ]`, line), "lines of a message number, a space and a unique-id", "%q", line)
		n, id, _ := numbered(line)
		p.want(ids[n] == "", "one line for each message", "two for message %d", n)
		ids[n] = id
	}
	p.want(slices.Equal(slices.Sorted(maps.Keys(ids)), numbers), "a line for each message", "%d lines; LIST has %d", len(ids), len(numbers))
	for _, n := range numbers[:min(len(numbers), 10)] {
		r := c.ok("UIDL %d", n)
		p.want(matches(`(?i)^\+OK [0-9]+ [^ ]`, r.raw), "+OK, a space, the number, a space, the unique-id", "%q", r.raw)
		number, id, _ := numbered(r.uidlText())
		p.want(number == n && id == ids[n], "what the listing says of this message", "%s; in the listing: %d %s", r, n, ids[n])
	}
}

// uidlText returns what is behind +OK. A unique-id may look like a response
// code, but a number stands before it.
func (r reply) uidlText() string {
	_, text, _ := strings.Cut(r.String(), " ")
	return text
}

// uidlLines returns all unique-id listings: those of UIDL, and of some messages
// those of UIDL with an argument, without +OK. Line ends are cut off.
func (c *conn) uidlLines() []string {
	numbers := c.all(0)
	c.ok("UIDL")
	lines := c.body().lines()
	for _, n := range numbers[:min(len(numbers), 10)] {
		lines = append(lines, c.ok("UIDL %d", n).uidlText())
	}
	return lines
}

func uidlNothingMore(p *probe) {
	p.announces("UIDL")
	c := p.filled(1)
	for _, line := range c.uidlLines() {
		p.want(matches(`^[0-9]+ +[^ \t]+$`, line), "nothing behind the unique-id", "%q", line)
	}
}

func uidlCharacters(p *probe) {
	p.announces("UIDL")
	c := p.filled(1)
	for _, line := range c.uidlLines() {
		_, id, _ := strings.Cut(line, " ")
		id, _, _ = strings.Cut(id, " ") // what is behind it is P3-UIDL-02
		p.want(matches(`^[!-~]{1,70}$`, id), "1 to 70 characters from 0x21 to 0x7E", "%q, %d octets", id, len(id))
	}
}

// uidlUnique looks at what is there, and then at identical copies, too. It lets
// these share a unique-id: RFC 1939 permits hashes.
func uidlUnique(p *probe) {
	p.announces("UIDL")
	c := p.filled(3)
	c.idsUnique()
	if p.t.Deliver == nil {
		return
	}
	c.leave()
	c, _, _ = p.twins()
	c.idsUnique()
}

// idsUnique compares messages that have the same unique-id.
func (c *conn) idsUnique() {
	p := c.p
	ids := c.uidl()
	first := make(map[string]int)
	for _, n := range slices.Sorted(maps.Keys(ids)) {
		other, double := first[ids[n]]
		if !double {
			first[ids[n]] = n
			continue
		}
		c.ok("RETR %d", other)
		one := c.body()
		c.ok("RETR %d", n)
		p.want(slices.Equal(one, c.body()), "a unique-id for each message", "messages %d and %d differ and have the same: %q", other, n, ids[n])
		p.note("identical copies share a unique-id, as RFC 1939 permits")
	}
}

func uidlPersists(p *probe) {
	p.announces("UIDL")
	c := p.filled(2)
	before := c.uidl()
	first := c.anyMessage()
	c.ok("RETR %d", first)
	message := c.body()
	c.hangup(true)
	for _, after := range []string{"a session without QUIT", "a session with QUIT"} {
		c = p.enter()
		ids := c.uidl()
		p.want(len(gone(before, ids)) == 0, "the same unique-ids after "+after, "gone: %v", gone(before, ids))
		if after == "a session without QUIT" {
			c.ok("QUIT")
			c.leave()
		}
	}
	n := c.numberOf(before[first])
	c.ok("RETR %d", n)
	p.same("a unique-id to mean the same message in another session", message, c.body())
}

// numberOf returns the number of the message with this unique-id.
func (c *conn) numberOf(id string) int {
	for n, other := range c.uidl() {
		if other == id {
			return n
		}
	}
	c.p.fail("the unique-id in the listing", "%q is not there", id)
	return 0
}

func uidlNeverReused(p *probe) {
	p.announces("UIDL")
	if p.t.Deliver == nil {
		p.skip("a way to deliver messages was not given")
	}
	c := p.enter()
	seen := make(map[string]bool)
	// Not twice the same message: a hash of it may be its unique-id.
	start := time.Now().UnixNano()
	for round := range 3 {
		before := c.uidl()
		for _, id := range before {
			seen[id] = true
		}
		c.leave()
		c = p.delivered(fmt.Sprintf("round %d of %d", round, start))
		after := c.uidl()
		fresh := gone(after, before)
		if len(fresh) == 0 {
			p.skip("a message was delivered and is not in the maildrop")
			return
		}
		for _, id := range fresh {
			p.want(!seen[id], "a unique-id that no message had before", "%q again", id)
			seen[id] = true
		}
		c.ok("DELE %d", c.numberOf(fresh[0]))
		c.ok("QUIT")
		c.leave()
		c = p.enter()
	}
}

// delivered delivers a message with this subject, and logs in.
func (p *probe) delivered(subject string) *conn {
	if p.over() {
		return &conn{p: p}
	}
	octets := "From: a@example.com\r\nSubject: " + subject + "\r\n\r\n" + subject + "\r\n"
	if err := p.t.Deliver(p.ctx, newMessage("filler", octets).stored); err != nil {
		p.skip("a message was not delivered: %v", err)
	}
	return p.enter()
}

func uidlAbsent(p *probe) {
	p.announces("UIDL")
	c := p.filled(2)
	n := c.anyMessage()
	c = c.refuses("UIDL %d")
	if !p.t.Destructive {
		p.note("%s", halfMade)
	}
	if p.t.Destructive {
		c.leave()
		c = p.enter()
		before := c.uidl()
		c.ok("DELE %d", n)
		c.no("UIDL %d", n)
		delete(before, n)
		sameListing(p, "a marked message to be omitted and no other", before, c.uidl())
		c.ok("RSET")
	}
}

func uidlAnnounced(p *probe) {
	c := p.connect()
	before, known := c.capa()
	if !known {
		p.skip("the server does not know CAPA")
	}
	c.leave()
	c = p.enter()
	after, known := c.capa()
	if !known {
		p.skip("the server does not know CAPA after the login")
	}
	works := c.works("UIDL")
	p.want(before.Has("UIDL") == works && after.Has("UIDL") == works, "UIDL in CAPA in both states exactly if it works",
		"in CAPA before the login: %t, after: %t; it works: %t", before.Has("UIDL"), after.Has("UIDL"), works)
}

func uidlStays(p *probe) {
	p.announces("UIDL")
	c := p.filled(4)
	numbers := c.all(4)
	if len(numbers) < 4 {
		return
	}
	before := c.uidl()
	last := numbers[len(numbers)-1]
	c.ok("RETR %d", last) // it may be flagged as read now
	message := c.body()
	c.ok("DELE %d", numbers[0])
	c.ok("QUIT")
	c.leave()
	c = p.enter()
	after := c.uidl()
	delete(before, numbers[0])
	p.want(len(gone(before, after)) == 0, "the other messages to keep their unique-ids", "gone: %v", gone(before, after))
	c.ok("RETR %d", c.numberOf(before[last]))
	p.same("a unique-id to stay with its message", message, c.body())
}

// uidlUnchecked says why rules of P3-UIDL are no checks.
func uidlUnchecked() map[string]string { return nil }
