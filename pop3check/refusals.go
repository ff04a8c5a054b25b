package pop3check

import "strings"

// Servers end a connection after some negative replies, as they should
// (P3-ST-14). What is here sees to it that a check goes on then, or is skipped,
// and that no such end is taken for the server's mistake.

// fewRefusals is how many negative replies a server gives at least before it
// may end a connection for them.
const fewRefusals = 3

// count counts a negative reply.
func (c *conn) count(r reply, isReply bool) {
	if isReply && !r.ok {
		c.refusals++
	}
}

// gaveUp skips the check when the connection ended that has had its share of
// negative replies: that is no verdict.
func (c *conn) gaveUp(line string, err error) {
	if err == nil || line != "" || isTimeout(err) || c.refusals < fewRefusals {
		return
	}
	c.wornOut()
	c.p.skip("the server ends connections after %d negative replies", c.refusals)
}

// wornOut notes after how many negative replies the server has ended this
// connection.
func (c *conn) wornOut() {
	if b := c.p.b; b != nil && c.refusals >= fewRefusals && (b.patience == 0 || c.refusals < b.patience) {
		b.patience = c.refusals
	}
}

// worn reports whether another negative reply might end the connection.
func (c *conn) worn() bool {
	return c.closed || c.p.b.patience > 0 && c.refusals >= c.p.b.patience-1
}

// try sends a command that may be refused. Where the server ends connections
// after a few refusals it goes to a new one, which again makes. It returns the
// connection that the reply came on.
func (c *conn) try(again func() *conn, command string) (*conn, reply) {
	if c.p.over() {
		return c, reply{}
	}
	if c.worn() {
		c.leave()
		c = again()
	}
	c.mayEnd = c.refusals > 0
	r := c.line1(command)
	if c.closed && c.mayEnd && !c.p.over() {
		c.wornOut()
		c = again()
		r = c.line1(command)
	}
	c.mayEnd = false
	return c, r
}

// line1 sends a command and reads the first line of its reply. A challenge is a
// positive one.
func (c *conn) line1(command string) reply {
	if !strings.HasPrefix(command, "AUTH ") {
		return c.cmd("%s", command)
	}
	c.say("%s", command)
	_, r, more := c.challenge()
	if more {
		r = reply{raw: "a challenge", ok: true}
	}
	return r
}

// eachRefused sends commands that must be refused, and behind each one that must
// work, if works is not "". STAT must say the same each time. It goes on with new
// connections as try does, and returns the last one.
func (c *conn) eachRefused(again func() *conn, works string, commands ...string) *conn {
	var stat reply
	if works == "STAT" {
		stat = c.ok("STAT")
	}
	for _, command := range commands {
		var r reply
		c, r = c.try(again, command)
		c.p.want(!r.ok, "-ERR to "+c.p.shown(command), "%s", r)
		if works != "" {
			c.mayEnd = c.refusals >= fewRefusals
			r := c.ok("%s", works)
			c.mayEnd = false
			if c.closed {
				c.wornOut()
				continue
			}
			c.p.want(works != "STAT" || r.raw == stat.raw, "nothing changed by "+c.p.shown(command), "%q instead of %q", r, stat)
		}
	}
	return c
}
