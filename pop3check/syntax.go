package pop3check

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"postfach/pop3"
)

func syntaxChecks() []row {
	return []row{
		{"P3-SYN-01", Login, synOctetByOctet},
		{"P3-SYN-02", Login, synKeywordCase},
		{"P3-SYN-03", Login, synOneSpace},
		{"P3-SYN-04", Login, synKeywordLength},
		{"P3-SYN-05", Login, synPrintable},
		{"P3-SYN-06", 0, syn255Octets},
		{"P3-SYN-08", Login, synOverlong},
		{"P3-SYN-09", Login, synUpperCase},
		{"P3-SYN-10", Login, synFirstLine},
		{"P3-SYN-11", 0, synCapabilityLine},
		{"P3-SYN-13", Login, synSomeText},
		{"P3-SYN-14", Login, synUnknown},
		{"P3-SYN-15", Login, synInvalid},
		{"P3-SYN-16", Login, synWrongState},
		{"P3-SYN-19", Login, synSevenBit},
		{"P3-SYN-20", Login, synEcho},
		{"P3-SYN-21", Login, synDecimal},
		{"P3-SYN-22", Login, synStrictNumbers},
		{"P3-SYN-23", Login, synNoArguments},
		{"P3-SYN-24", Login, synBareEnds},
		{"P3-SYN-25", Login, synOneReply},
	}
}

// syntaxUnchecked says why rules of P3-SYN are no checks.
func syntaxUnchecked() map[string]string {
	return map[string]string{
		"P3-SYN-07": "no registered capability allows longer commands; the length of SASL responses is P3-AUTH-17",
		"P3-SYN-27": "the port that a server has without any configuration is not visible where the operator has chosen one",
	}
}

func synOctetByOctet(p *probe) {
	c := p.enter()
	whole := c.ok("NOOP")
	for _, octet := range []string{"N", "O", "O", "P", "\r", "\n"} {
		c.send(octet)
		p.pause(time.Millisecond) // else the network may put them together
	}
	r := c.reply()
	p.want(r.ok == whole.ok, "the same reply to NOOP octet by octet", "%s", r)
	c.silent("one reply to one NOOP")
}

func synKeywordCase(p *probe) {
	before := p.connect()
	upper := before.cmd("CAPA")
	if upper.ok {
		before.body()
	}
	mixed := before.cmd("CaPa")
	if mixed.ok {
		before.body()
	}
	p.want(upper.ok == mixed.ok, "CaPa to be answered like CAPA", "%s", mixed)

	least := 1
	if p.t.Deliver == nil {
		least = 0
	}
	c := p.filled(least)
	stat := c.ok("STAT")
	for _, keyword := range []string{"stat", "StAt", "sTAT"} {
		r := c.ok("%s", keyword)
		p.want(r.raw == stat.raw, keyword+" to be answered like STAT", "%q instead of %q", r, stat)
	}
	c.ok("noop")
	c.ok("list")
	c.body()
	if count, _ := c.stat(); count > 0 {
		n := c.anyMessage()
		c.ok("list %d", n)
		if p.b.has(pop3.CapUIDL) {
			upper := c.ok("UIDL %d", n)
			lower := c.ok("uidl %d", n)
			p.want(lower.raw == upper.raw, "uidl to be answered like UIDL", "%q instead of %q", lower, upper)
		}
		if p.b.has(pop3.CapTop) {
			c.ok("Top %d 0", n)
			c.body()
		}
	}
	c.ok("rSeT")
	c.ok("QuIt")
	c.ends("the server to close the connection after QuIt", p.t.timeout())
}

// Two spaces may be refused or taken for one (AMB-01). What they may not do is
// to name something else; and no space is too few.
func synOneSpace(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	one := c.ok("LIST %d", n)
	p.want(strings.HasPrefix(one.raw, fmt.Sprintf("+OK %d ", n)), fmt.Sprintf("the scan listing of message %d", n), "%s", one)
	two := c.cmd("LIST  %d", n)
	p.want(!two.ok || two.raw == one.raw, "two spaces to be refused or to mean what one means", "%s", two)
	c.no("LIST%d", n)
}

func synKeywordLength(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	c.eachRefused(p.enter, "NOOP",
		fmt.Sprintf("TOPS %d 1", n), fmt.Sprint("RE ", n), fmt.Sprint("RETRX ", n), fmt.Sprint("LISTS ", n), "NOOPS", "STATISTICS")
}

func synPrintable(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	c.eachRefused(p.enter, "NOOP",
		"LIST \x7f", fmt.Sprintf("RETR \x00%d", n), fmt.Sprintf("LIST \x01%d", n), fmt.Sprintf("TOP %d\t1", n),
		fmt.Sprintf("LIST %d\xff", n), fmt.Sprintf("LIST %d\x00", n))
}

// tooLong are the words of a server that has read no further.
var tooLong = regexp.MustCompile(`(?i)too (long|large|big|many (char|octet|byte))|(exceed|limit|length|overflow)`)

// Which name a server takes is its affair: none may be so long. That a line of
// 255 octets is read whole shows in two ways: a command that nobody knows is as
// unknown with as much behind it; and a name of 248 octets is answered like one,
// or refused as one.
func syn255Octets(p *probe) {
	c := p.connect()
	if _, known := c.capa(); !known {
		p.skip("the server does not know CAPA")
	}
	long := strings.Repeat("a", 248)
	unknown := func(argument string) string {
		c := p.connect()
		r := c.no("XYZZ %s", argument)
		bye := c.cmd("QUIT") // the rest of the line would be another reply
		p.want(bye.ok, "one reply to a line of 255 octets, then +OK to QUIT", "%s", bye)
		return repeatedA.ReplaceAllString(r.String(), "a")
	}
	few, many := unknown("aa"), unknown(long)
	p.want(few == many || !tooLong.MatchString(many), "an unknown command of 255 octets refused like a short one", "%q instead of %q", many, few)

	user := func(name string) reply {
		c := p.connect()
		r := c.cmd("USER %s", name)
		c.leave()
		return r
	}
	if r := user(nobody); !r.ok {
		p.note("USER is refused for other reasons: %s", r)
		return
	}
	r := user(long)
	if r.ok || r.code.Is(pop3.CodeAuth) {
		return
	}
	same := false
	for _, length := range []int{60, 150} {
		shorter := user(long[:length])
		same = same || !shorter.ok && shorter.uniform(long[:length]) == r.uniform(long)
	}
	p.want(same && !tooLong.MatchString(r.text), "a name of 248 octets, in a line of 255, to be answered like a shorter one, or refused as a name", "%s", r)
}

// repeatedA is what a reply may repeat of a long argument, all or a part.
var repeatedA = regexp.MustCompile(`a{2,}(\.{3}|…)?`)

// overlong is longer than any limit of a command line that is known.
const overlong = 70_000

func synOverlong(p *probe) {
	const want = "one -ERR to the line and +OK to NOOP, or the end of the connection"
	c := p.enter()
	c.note("C: NOOP AAA... (70005 octets), NOOP")
	c.push("NOOP " + strings.Repeat("A", overlong) + "\r\nNOOP\r\n")
	for i := range 2 {
		line, closed := c.atEnd(p.t.timeout())
		if closed {
			return
		}
		r, ok := parseReply(line)
		p.want(ok && (i == 0 || r.ok), want, "as reply %d: %q", i+1, line)
	}
	if line, closed := c.atEnd(p.t.quiet()); !closed && line != "" {
		p.fail(want, "as reply 3: %q", line)
	}
}

// push sends octets to a server that may have closed the connection; what it
// said before, or that it has, is read next.
func (c *conn) push(octets string) {
	if c.dead() {
		return
	}
	c.deadline(c.p.t.timeout())
	_, _ = io.WriteString(c.nc, octets)
}

// firstLines are first lines of replies of all kinds, in both states.
func (p *probe) firstLines() []reply {
	before := p.connect()
	all := []reply{before.greeting, before.cmd("XYZZ")}
	all = append(all, p.connect().cmd("QUIT"))

	c := p.connect()
	c.guarded()
	all = append(all, c.tryAuth())
	if capa := c.cmd("CAPA"); capa.ok {
		c.body()
		all = append(all, capa)
	}
	for _, command := range []string{"STAT", "NOOP", "LIST 999999999", "XYZZ", "RSET"} {
		all = append(all, c.cmd("%s", command))
	}
	list := c.cmd("LIST")
	if list.ok {
		c.body()
	}
	return append(all, list, c.cmd("QUIT"))
}

func synUpperCase(p *probe) {
	status := regexp.MustCompile(`^(\+OK|-ERR)( [^\r\n]*)?\r?\n$`)
	for _, r := range p.firstLines() {
		p.want(status.MatchString(r.raw), "+OK or -ERR in upper case", "%q", r.raw)
	}
}

func synSomeText(p *probe) {
	for _, r := range p.firstLines() {
		p.want(r.raw != "+OK\r\n", "a space and some text behind +OK", "%q", r.raw)
	}
}

// maxReplyLine bounds the first line of a reply and each line of CAPA, with CR
// LF.
const maxReplyLine = 512

func synFirstLine(p *probe) {
	long := strings.Repeat("x", 240)
	longest := 0
	measure := func(r reply) {
		p.want(len(r.raw) <= maxReplyLine, "at most 512 octets", "%d octets", len(r.raw))
		longest = max(longest, len(r.raw))
	}
	// Servers with few bad commands to spare get a connection for each.
	for _, command := range []string{"USER ", "XYZZ ", "AUTH ", "LANG "} {
		c := p.connect()
		measure(c.greeting)
		measure(c.cmd("%s", command+long))
		c.leave()
	}
	c := p.enter()
	for _, command := range []string{"LIST ", "RETR ", "XYZZ ", "LANG ", "TOP 1 "} {
		var r reply
		c, r = c.try(p.enter, command+long)
		measure(r)
	}
	p.note("the longest of these first lines has %d octets", longest)
}

func synCapabilityLine(p *probe) {
	c := p.connect()
	p.eachCapabilityLine(c)
	if p.t.User == "" || p.over() {
		return
	}
	p.eachCapabilityLine(p.enter())
}

func (p *probe) eachCapabilityLine(c *conn) {
	if r := c.cmd("CAPA"); !r.ok {
		p.skip("the server does not know CAPA")
		return
	}
	for line := range strings.Lines(string(c.body())) {
		p.want(len(line) <= maxReplyLine, "lines of CAPA of at most 512 octets", "%d octets", len(line))
	}
}

func synUnknown(p *probe) {
	p.connect().no("XYZZ")
	p.enter().eachRefused(p.enter, "NOOP", "XYZZ", "XYZZ with arguments", "HELP")
}

func synInvalid(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	commands := []string{
		"RETR", "RETR x", "LIST x",
		fmt.Sprintf("TOP %d", n), fmt.Sprintf("TOP %d x", n), fmt.Sprintf("TOP %d -1", n), "TOP",
	}
	if p.t.Destructive { // a careless server takes something for a number
		commands = append(commands, "DELE", "DELE x")
	}
	c.eachRefused(p.enter, "NOOP", append(commands, "")...).leave()
	for _, command := range []string{"", "APOP " + nobody, "USER"} {
		c := p.connect()
		c.no("%s", command)
		c.leave()
	}
	// APOP is about the greeting, and a name that exists may go another way.
	if c = p.clear(); c.mayWriteSecrets() {
		r := c.cmd("APOP %s", p.t.User)
		p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "-ERR to APOP without a digest", "%s", r)
	}
}

// Each command has a connection of its own before login: some servers allow
// few bad ones.
func synWrongState(p *probe) {
	commands := []string{"STAT", "LIST", "LIST 1", "RETR 1", "NOOP", "RSET", "TOP 1 0", "UIDL", "UIDL 1", "LAST"}
	if p.t.Destructive { // a careless server might obey at once
		commands = append(commands, "DELE 1")
	}
	for _, command := range commands {
		c := p.connect()
		c.no("%s", command)
		if r, open := c.answer("STAT"); open {
			p.want(!r.ok, "the AUTHORIZATION state still after "+command, "%q to STAT", r)
		}
		c.leave()
	}
	p.enter().eachRefused(p.enter, "STAT", loginCommands()...)
}

// loginCommands are commands of the AUTHORIZATION state.
func loginCommands() []string {
	return []string{
		"USER " + nobody, "PASS nothing", "APOP " + nobody + " 0123456789abcdef0123456789abcdef", "STLS", "UTF8", "AUTH PLAIN",
	}
}

// answer sends a command to a server that may have closed the connection, and
// reads the first line of the reply.
func (c *conn) answer(format string, args ...any) (r reply, open bool) {
	command := fmt.Sprintf(format, args...) + "\r\n"
	c.noteSent(command)
	c.push(command)
	line, closed := c.atEnd(c.p.t.timeout())
	if closed || c.p.over() {
		return reply{}, false
	}
	r, ok := parseReply(line)
	c.p.want(ok, "a line that begins with +OK or -ERR, or the connection's end", "%q", line)
	c.count(r, ok)
	return r, ok
}

func synSevenBit(p *probe) {
	before := p.connect()
	replies := []reply{before.greeting, before.cmd("X\xe9ZZ")}
	c := p.enter()
	for _, command := range []string{"XYZZ \xc3\xa9\xff", "LIST \xc3\xa9", "RETR \xff"} {
		var r reply
		c, r = c.try(p.enter, command)
		replies = append(replies, r)
	}
	for _, r := range replies {
		p.want(!has8Bit(r.raw), "replies without octets above 0x7F", "%q", r)
	}
}

func has8Bit(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) >= 0
}

func synEcho(p *probe) {
	before := p.connect()
	replies := []reply{before.cmd("XY\x1b[31m nobody\x1b[31m")}
	c := p.enter()
	clean := func(text string) {
		text = strings.TrimRight(text, "\r\n")
		bad := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f }) >= 0
		p.want(!bad, "no control or 8-bit octet of the client's in a reply", "%q", text)
	}
	for _, command := range []string{"LIST 1\x1b[31m", "XYZZ \x1b]0;x\x07", "LIST x\ry", "LIST \x80\x9b31m"} {
		var r reply
		c, r = c.try(p.enter, command)
		replies = append(replies, r)
	}
	for _, r := range replies {
		clean(r.raw)
	}
	c.leave()
	c = p.enter() // whether NUL is answered at all is P3-SYN-05
	c.say("LIST 1\x00\x07")
	line, _ := c.atEnd(p.t.quiet())
	clean(line)
}

func synDecimal(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	stat := c.ok("STAT")
	p.want(regexp.MustCompile(`^\+OK [0-9]+ [0-9]+( |\r?\n)`).MatchString(stat.raw), "STAT to say two decimal numbers", "%q", stat)
	one := c.ok("LIST %d", n)
	p.want(regexp.MustCompile(`^\+OK [0-9]+ [0-9]+( |\r?\n)`).MatchString(one.raw), "LIST to say two decimal numbers", "%q", one)
	c.ok("LIST")
	line := regexp.MustCompile(`^[0-9]+ [0-9]+( |$)`)
	for _, l := range c.body().lines() {
		p.want(line.MatchString(l), "lines of two decimal numbers", "%q", l)
	}
	c.no("RETR 0x%x", n)
	c.no("LIST 0x%x", n)
}

// No server can have so many messages as these numbers name.
func synStrictNumbers(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	commands := []string{fmt.Sprintf("LIST %d %d", n, n), "LIST 1 2"}
	for _, number := range []string{
		"4294967297", "18446744073709551617", "+1", "-1", fmt.Sprint(n, "x"), fmt.Sprint(n, ".0"), "0",
	} {
		commands = append(commands, "RETR "+number, "LIST "+number)
	}
	c.eachRefused(p.enter, "NOOP", commands...)
}

func synNoArguments(p *probe) {
	p.enter().eachRefused(p.enter, "NOOP", "STAT 1", "NOOP now", "RSET now", "QUIT now")
	p.connect().no("QUIT now")
	p.connect().no("CAPA now")
	if p.b.survey.clear.Has(pop3.CapSTLS) {
		p.clear().no("STLS now")
	}
}

func synBareEnds(p *probe) {
	c := p.enter()
	c.send("NOOP\n")
	r := c.reply()
	p.want(r.ok && strings.HasSuffix(r.raw, "\r\n"), "+OK and CR LF to a NOOP that ends with LF", "%q", r.raw)
	c.send("NOOP\rNOOP\r\n")
	r = c.reply()
	p.want(!r.ok, "-ERR to a line with a CR in it", "%s", r)
	c.silent("one reply to one line")
}

// The replies tell to which command they belong.
func synOneReply(p *probe) {
	c := p.filled(3)
	numbers := c.all(3)
	if len(numbers) < 3 {
		return
	}
	a, b, z := numbers[0], numbers[1], numbers[len(numbers)-1]
	stat := c.ok("STAT")
	list := func(n int) [2]string { return [2]string{fmt.Sprintf("LIST %d", n), fmt.Sprintf("+OK %d ", n)} }
	wrong := [2]string{"LIST 999999999", "-ERR"}
	noop := [2]string{"NOOP", "+OK"}
	// Two wrong commands in each part: servers end connections after more.
	for i, part := range [][][2]string{
		{list(b), {"STAT", stat.raw}, list(z), wrong, list(a), noop, wrong, list(b), noop},
		{{"XYZZ", "-ERR"}, list(a), list(z), {"RSET", "+OK"}, {"STAT", stat.raw}, wrong, noop, list(a), list(b), noop, list(z)},
	} {
		if i > 0 {
			c.leave()
			c = p.enter()
		}
		for _, l := range part {
			r := c.cmd("%s", l[0])
			p.want(strings.HasPrefix(r.raw, l[1]), fmt.Sprintf("the reply to %s", l[0]), "%q", r)
		}
		c.silent("nothing after as many replies as commands")
	}
}
