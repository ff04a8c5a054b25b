package pop3check

import (
	"fmt"
	"regexp"

	"postfach/pop3"
)

func lastChecks() []row {
	return []row{
		{"P3-LAST-01", Login, lastNumber},
		{"P3-LAST-02", Login | Destructive, lastAcrossSessions},
		{"P3-LAST-03", Login, lastRises},
		{"P3-LAST-04", Login, lastReset},
		{"P3-LAST-05", Login, lastUnannounced},
	}
}

// lastUnchecked says why rules of P3-LAST are no checks.
func lastUnchecked() map[string]string { return nil }

// last asks for the highest number that was accessed. A server without LAST has
// nothing to check.
func (c *conn) last() int {
	r := c.cmd("LAST")
	if !r.ok {
		c.p.skip("the server does not have LAST: %s", r)
		return 0
	}
	n := 0
	if _, err := fmt.Sscanf(r.text, "%d", &n); err != nil {
		c.p.fail("LAST to say a number", "%s", r)
	}
	return n
}

// wantLast fails the check unless LAST says n.
func (c *conn) wantLast(n int, after string) {
	got := c.last()
	c.p.want(got == n, fmt.Sprintf("LAST to say %d after %s", n, after), "%d", got)
}

func lastNumber(p *probe) {
	c := p.enter()
	n := c.last()
	r := c.cmd("LAST")
	p.want(regexp.MustCompile(`^\+OK [0-9]+( |\r?\n)`).MatchString(r.raw), "+OK and a number", "%q", r.raw)
	count, _ := c.stat()
	p.want(n <= count, fmt.Sprintf("the number of one of %d messages, or 0", count), "%d", n)
	p.connect().no("LAST")
}

// The message with the highest number: whatever was read before, it is the
// last one.
func lastAcrossSessions(p *probe) {
	c := p.filled(1)
	c.last()
	n, ids := c.anyMessage(), c.idsIfAny()
	c.read(n)
	c.quit()
	c = p.letIn("a new session")
	if later := c.idsIfAny(); !p.over() && later[n] != ids[n] {
		p.skip("message %d has become another one", n)
	}
	c.wantLast(n, fmt.Sprintf("RETR %d in an earlier session", n))
}

func lastRises(p *probe) {
	c := p.filled(3)
	numbers := c.all(3)
	if len(numbers) < 3 {
		return
	}
	low, middle, high := numbers[0], numbers[1], numbers[2]
	if p.t.Destructive {
		c.ok("RSET") // to begin with 0
	}
	at := c.last()
	for _, n := range []int{low, high, middle} {
		c.read(n)
		at = max(at, n)
		c.wantLast(at, fmt.Sprintf("RETR %d", n))
	}
	if end := numbers[len(numbers)-1]; p.b.has(pop3.CapTop) && end > at {
		c.ok("TOP %d 0", end)
		c.body()
		c.wantLast(at, fmt.Sprintf("TOP %d 0", end))
	}
	if p.t.Destructive {
		for _, n := range []int{middle, high} {
			c.ok("DELE %d", n)
			c.wantLast(at, fmt.Sprintf("DELE %d", n))
		}
	}
}

func lastReset(p *probe) {
	c := p.filled(1)
	c.last()
	n := c.anyMessage()
	c.read(n)
	if at := c.last(); at < n {
		p.skip("LAST says %d after RETR %d (P3-LAST-03)", at, n)
	}
	c.ok("RSET")
	c.wantLast(0, "RSET")
}

// Whether LAST is on because the operator wants it cannot be seen; how it is
// announced can.
func lastUnannounced(p *probe) {
	c := p.enter()
	capa, known := c.capa()
	if !known {
		p.skip("the server does not know CAPA")
	}
	announced := capa.Has("LAST") || p.b.survey.before.Has("LAST")
	p.want(!announced, "no capability LAST, which is not registered", "%q", capa)
	p.note("LAST: %s", c.cmd("LAST"))
}
