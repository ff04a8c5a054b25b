package pop3check

import (
	"io"
	"strconv"
	"strings"
	"time"

	"postfach/pop3"
)

func pipeliningChecks() []row {
	return []row{
		{"P3-PIPE-01", Login, pipelined},
		{"P3-PIPE-03", Login, pipelinedFar},
		{"P3-PIPE-05", Login, pipelinedLogin},
		{"P3-PIPE-08", 0, pipelinedAfterQuit},
		{"P3-PIPE-09", Login, pipelinedUnannounced},
		{"P3-PIPE-10", Login, pipelinedFailure},
	}
}

// pipelined sends commands first one after the other, then in one segment, and
// compares.
func pipelined(p *probe) {
	p.announces(pop3.CapPipelining)
	p.inOrder()
}

// pipelinedUnannounced is the same where nothing is promised, and a reply that
// must not wait for the rest of the next command.
func pipelinedUnannounced(p *probe) {
	p.inOrder()
	c := p.enter()
	c.send("STAT\r\nNO")
	r := c.reply()
	p.want(r.ok, "+OK to STAT, behind which half a command stands", "%s", r)
	c.send("OP\r\n")
	r = c.reply()
	p.want(r.ok, "+OK to NOOP, which came in two pieces", "%s", r)
}

func (p *probe) inOrder() {
	type exchange struct {
		command string
		multi   bool
	}
	c := p.filled(1)
	n := c.anyMessage()
	all := []exchange{{"STAT", false}, {"LIST", true}}
	if p.b.has(pop3.CapUIDL) {
		all = append(all, exchange{"UIDL", true})
	}
	all = append(all, exchange{"NOOP", false}, exchange{"LIST 0", false}, exchange{"STAT", false})
	var want []string
	for _, e := range all {
		said := c.cmd("%s", e.command).raw
		if e.multi {
			said += string(c.body())
		}
		want = append(want, said)
	}
	var segment strings.Builder
	for _, e := range all {
		segment.WriteString(e.command + "\r\n")
	}
	c.send(segment.String())
	for i, e := range all {
		said := c.reply().raw
		if e.multi {
			said += string(c.body())
		}
		p.same("the reply to "+e.command+" in its place, as without pipelining", []byte(want[i]), []byte(said))
	}
	c.send("RETR " + strconv.Itoa(n) + "\r\nSTAT\r\n")
	if r := c.reply(); r.ok {
		c.body()
	}
	p.same("the reply to STAT behind that to RETR", []byte(want[0]), []byte(c.reply().raw))
	c.leave()
}

// far is how many commands are on their way before the first reply is read.
const far = 2000

// pipelinedFar writes while nobody reads, for a while.
func pipelinedFar(p *probe) {
	p.announces(pop3.CapPipelining)
	c := p.enter()
	if c.dead() {
		return
	}
	first := c.ok("STAT")
	if p.over() {
		return
	}
	c.note("C: (STAT 2000 times)")
	c.mute = true
	c.deadline(2 * p.t.timeout())
	wrote := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c.nc, strings.Repeat("STAT\r\n", far))
		wrote <- err
	}()
	select { // time for the replies to pile up
	case <-time.After(p.t.quiet()):
	case <-p.ctx.Done():
	}
	for i := 0; i < far && !p.over(); i++ {
		r := c.reply()
		p.want(r.raw == first.raw, "as many replies as commands, all the same", "%q after %d", r.raw, i)
	}
	if p.over() {
		c.close() // ends the writer
	}
	if err := <-wrote; err != nil {
		p.fail("the server to take 2000 commands", "%v", err)
	}
	c.mute = false
}

// pipelinedLogin: what follows the login in its segment must survive it.
func pipelinedLogin(p *probe) {
	p.announces(pop3.CapPipelining)
	c := p.connect()
	c.guarded()
	var stat reply
	r := c.again(func() reply {
		var r reply
		if p.hasUser() {
			c.send("USER " + p.t.User + "\r\nPASS " + p.t.Password + "\r\nSTAT\r\n")
			c.reply()
			r = c.reply()
		} else {
			p.needsMechanism("PLAIN")
			c.send("AUTH PLAIN " + encode(p.rightPlain()) + "\r\nSTAT\r\n")
			r = c.verdict()
		}
		stat = c.reply()
		return r
	})
	p.want(r.ok && stat.ok, "+OK to login and STAT in one segment", "%s and %s", r, stat)
	c.leave()
	c = p.filled(1)
	n := strconv.Itoa(c.anyMessage())
	c.send("RETR " + n + "\r\nRETR " + n + "\r\nNOOP\r\n")
	for range 2 {
		r := c.reply()
		p.want(r.ok, "+OK to each RETR in one segment", "%s", r)
		if r.ok {
			c.body()
		}
	}
	r = c.reply()
	p.want(r.ok, "+OK to NOOP behind them", "%s", r)
}

func pipelinedAfterQuit(p *probe) {
	c := p.connect()
	c.send("QUIT\r\nNOOP\r\n")
	r := c.reply()
	p.want(r.ok, "+OK to QUIT", "%s", r)
	c.ends("nothing behind the reply to QUIT", p.t.timeout())
}

func pipelinedFailure(p *probe) {
	c := p.connect()
	c.send("USER " + nobody + "\r\nPASS " + wrongPassword + "\r\nSTAT\r\n")
	c.reply()
	c.mayEnd = true
	r := c.reply()
	p.want(!r.ok, "-ERR to a wrong password", "%s", r)
	r = c.reply()
	p.want(!r.ok, "-ERR to STAT behind a failed login", "%s", r)
	c.leave()

	c = p.enter()
	c.send("LIST 0\r\nSTAT\r\n")
	r = c.reply()
	p.want(!r.ok, "-ERR to LIST 0", "%s", r)
	r = c.reply()
	p.want(r.ok, "+OK to STAT behind a command that failed", "%s", r)
}

// pipeliningUnchecked says why rules of P3-PIPE are no checks.
func pipeliningUnchecked() map[string]string { return nil }
