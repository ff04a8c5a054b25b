package pop3check

import (
	"bytes"
	"fmt"
)

func multilineChecks() []row {
	return []row{
		{"P3-MLT-01", Login, multilineFraming},
		{"P3-MLT-02", Login, multilineStuffed},
		{"P3-MLT-04", Login, multilineNotBehindErr},
		{"P3-MLT-05", Login, multilineWhere},
		{"P3-MLT-10", Login, multilineTopStuffed},
		{"P3-MLT-11", Login, multilineEmpty},
	}
}

// asSent is what multi-line data looks like on the wire: byte-stuffed, with
// the terminator behind it.
func asSent(data []byte) []byte {
	var sent []byte
	for line := range bytes.Lines(data) {
		if line[0] == '.' {
			sent = append(sent, '.')
		}
		sent = append(sent, line...)
	}
	return append(sent, ".\r\n"...)
}

func multilineFraming(p *probe) {
	c := p.enter()
	c.framed("LIST")
	for _, command := range []string{"UIDL", "CAPA", "LANG"} {
		if p.b.has(command) || command == "CAPA" {
			c.framed(command)
		}
	}
	c.leave()
	// Before messages are looked for, which needs some of these replies.
	c = p.filled(1)
	c.messageFramed(c.anyMessage())
	c.leave()
	c, numbers := p.sample("dots", "lf", "header-only", "many-lines")
	for _, n := range numbers {
		c.messageFramed(n)
	}
}

// messageFramed looks at the line ends of a message.
func (c *conn) messageFramed(n int) {
	c.framed(fmt.Sprintf("RETR %d", n))
	if c.p.b.has("TOP") {
		c.framed(fmt.Sprintf("TOP %d 5", n))
	}
}

// framed sends a command with a multi-line reply and looks at the line ends.
func (c *conn) framed(command string) {
	if r := c.cmd("%s", command); !r.ok {
		return
	}
	b := c.body()
	for line := range bytes.Lines(b) {
		c.p.want(bytes.HasSuffix(line, []byte("\r\n")), "CR LF behind each line of the reply to "+command, "%.80q", line)
	}
	c.p.want(bytes.Equal(b, []byte(".\r\n")) || bytes.HasSuffix(b, []byte("\r\n.\r\n")),
		`the reply to `+command+` to end with a line that is only "."`, "%q", b[max(0, len(b)-40):])
	// The reply is over: the next one comes at once.
	c.ok("NOOP")
}

func multilineStuffed(p *probe) {
	p.stuffed("RETR %d")
}

// stuffed sends a command for messages with lines that begin with dots. Of those
// that are not ours it shows in lines with one dot only.
func (p *probe) stuffed(command string) {
	if p.t.Deliver == nil {
		p.sampleStuffed(command)
		return
	}
	names := []string{"dots", "only-dots", "lf"}
	c := p.login(names...)
	for _, name := range names {
		c.ok(command, c.number(name))
		p.same("one more dot in front of each line that begins with one", dotted(asSent(ourMessage(name).wire)), dotted(c.body()))
		c.ok("NOOP") // a line that is only a dot ends what is not stuffed
	}
}

// dotted returns the lines that begin with a dot. Whether the others are there is
// for P3-RETR and P3-TOP to say.
func dotted(sent []byte) []byte {
	var all []byte
	for line := range bytes.Lines(sent) {
		if line[0] == '.' {
			all = append(all, line...)
		}
	}
	return all
}

func (p *probe) sampleStuffed(command string) {
	c, numbers := p.sample()
	dots := 0
	for _, n := range numbers {
		c.ok(command, n)
		for line := range bytes.Lines(c.body()) {
			if line[0] == '.' && !isEnd(line) {
				dots++
				p.want(line[1] == '.', "one more dot in front of each line that begins with one", "%.60q in message %d", line, n)
			}
		}
		c.ok("NOOP") // a line that is only a dot ends what is not stuffed
	}
	if dots == 0 {
		p.skip("no message has a line that begins with a dot")
	}
}

func multilineNotBehindErr(p *probe) {
	c := p.enter()
	n := c.absent()
	for _, command := range []string{"RETR %d", "TOP %d 1", "LIST %d", "UIDL %d"} {
		if c.refusals == fewRefusals-1 { // the server may end the connection behind the next
			c.leave()
			c = p.enter()
		}
		c.no(command, n)
		c.silent("nothing behind -ERR")
	}
}

func multilineWhere(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	c.ok("LIST %d", n)
	c.silent("one line in reply to LIST with an argument")
	c.ok("LIST")
	c.body()
	if p.b.has("UIDL") {
		c.ok("UIDL %d", n)
		c.silent("one line in reply to UIDL with an argument")
		c.ok("UIDL")
		c.body()
	}
	if p.b.has("LANG") {
		if r := c.cmd("LANG"); r.ok {
			c.body()
		}
		c.cmd("LANG *")
		c.silent("one line in reply to LANG with an argument")
	}
	if r := c.cmd("CAPA"); r.ok {
		c.body()
	}
	if p.b.has("TOP") {
		c.ok("TOP %d 0", n)
		c.body()
	}
	c.ok("RETR %d", n)
	c.body()
	c.ok("NOOP")
}

func multilineTopStuffed(p *probe) {
	p.announces("TOP")
	p.stuffed("TOP %d 99")
}

func multilineEmpty(p *probe) {
	c := p.emptied()
	for _, command := range []string{"LIST", "UIDL"} {
		if command == "UIDL" && !p.b.has(command) {
			continue
		}
		c.ok("%s", command)
		p.same("the terminator right behind +OK to "+command, []byte(".\r\n"), c.body())
		c.silent("nothing behind the terminator")
	}
}

// multilineUnchecked says why rules of P3-MLT are no checks.
func multilineUnchecked() map[string]string {
	return map[string]string{
		"P3-MLT-08": "needs a message that the server can begin to read and cannot finish",
	}
}
