package pop3check

import (
	"net"
	"regexp"
	"strings"

	"postfach/pop3client"
)

func greetingChecks() []row {
	return []row{
		{"P3-GRT-01", beginning, greetingOneLine},
		{"P3-GRT-02", 0, greetingLength},
		{"P3-GRT-03", 0, greetingTimestamp},
		{"P3-GRT-04", 0, greetingDiffers},
		{"P3-GRT-05", 0, greetingAPOP},
		{"P3-GRT-06", 0, greetingAngle},
		{"P3-GRT-11", STLS, greetingOnce},
		{"P3-GRT-12", beginning, greetingInTLS},
		{"P3-GRT-14", 0, greetingVersion},
	}
}

// greetingUnchecked says why rules of P3-GRT are no checks.
func greetingUnchecked() map[string]string {
	return map[string]string{
		"P3-GRT-07": "a permission: nothing can break it",
		"P3-GRT-13": "needs a server that is refusing service",
	}
}

// begun connects up to where the greeting is read. Certificates are no matter
// of greetings.
func (p *probe) begun() *conn {
	c := p.dial()
	if p.t.Security == pop3client.ImplicitTLS {
		c.tryTLS()
	}
	return c
}

// tryTLS makes TLS, or skips the check.
func (c *conn) tryTLS() {
	if err := c.tryHandshake(c.p.anyCertificate()); err != nil {
		c.p.skip("no TLS: %v", err)
	}
}

func greetingOneLine(p *probe) {
	c := p.begun()
	c.greeting = c.reply()
	if !c.greeting.ok && !c.dead() {
		if _, closed := c.atEnd(p.t.quiet()); closed {
			p.skip("the server refuses service: %s", c.greeting) // P3-GRT-13
		}
	}
	p.want(c.greeting.ok, "a greeting with +OK", "%s", c.greeting)
	c.silent("a greeting of one line")
	r := c.cmd("STAT")
	p.want(!r.ok, "the AUTHORIZATION state, in which STAT is refused", "%s", r)
}

func greetingLength(p *probe) {
	c := p.clear()
	n := len(c.greeting.raw)
	p.want(n <= maxReplyLine, "a greeting of at most 512 octets", "%d octets", n)
	p.note("%d octets", n)
}

// angle finds what stands between the first "<" and what ends it. It is not
// the syntax of a timestamp: that is what is judged.
var angle = regexp.MustCompile(`<[^>]*>?`)

// stamp returns the timestamp of the greeting.
func (c *conn) stamp() string {
	found := angle.FindString(c.greeting.String())
	if found == "" {
		c.p.skip("the greeting has no APOP timestamp")
	}
	return found
}

func greetingTimestamp(p *probe) {
	stamp := p.clear().stamp()
	msgID := regexp.MustCompile(`^<[\x21-\x3b\x3d\x3f\x41-\x7e]+@[\x21-\x3b\x3d\x3f\x41-\x7e]+>$`)
	p.want(msgID.MatchString(stamp), "a timestamp like a msg-id: <left@right>, printable, without spaces", "%q", stamp)
	p.note("%s", stamp)
}

// greetings is how many are compared: one after the other, since servers allow
// few connections at once from one address, and within a second or so, which is
// what the clock of a bad server shows.
const greetings = 24

func greetingDiffers(p *probe) {
	seen := make(map[string]bool)
	for range greetings {
		c := p.clear()
		stamp := c.stamp()
		p.want(!seen[stamp], "a timestamp that no other greeting has", "%s in greetings %d and earlier", stamp, len(seen)+1)
		seen[stamp] = true
		c.hangup(false)
	}
	p.note("%d greetings, all different", greetings)
}

// Whether APOP is off for everybody or refused to a stranger is told by the
// words for a command that cannot exist.
func greetingAPOP(p *probe) {
	c := p.connect()
	if capa, known := c.capa(); known {
		p.want(!capa.Has("APOP"), "no capability APOP", "%q", capa)
	}
	p.want(!p.b.survey.after.Has("APOP"), "no capability APOP", "%q after login", p.b.survey.after)
	if !strings.Contains(c.greeting.String(), "<") {
		p.note("no timestamp, no APOP")
		return
	}
	const arguments = " " + nobody + " 0123456789abcdef0123456789abcdef"
	unknown, open := c.answer("XPOP" + arguments)
	if !open {
		c = p.clear()
	}
	r := c.cmd("APOP" + arguments)
	same := strings.ReplaceAll(unknown.String(), "XPOP", "APOP") == r.String()
	p.want(!same || unknown.text == "" || r.ok, "no <...> in the greeting of a server that does not know APOP",
		"%q, and %q to APOP", c.greeting, r)
}

func greetingAngle(p *probe) {
	text := p.clear().greeting.String()
	p.want(strings.Count(text, "<") <= 1, "at most one < in the greeting", "%q", text)
}

func greetingOnce(p *probe) {
	c := p.clear()
	c.stls()
	c.silent("nothing after STLS until the client speaks")
	c.ok("CAPA")
	c.body()
}

func greetingInTLS(p *probe) {
	if p.t.Security != pop3client.ImplicitTLS {
		p.skip("the connection does not begin with TLS")
	}
	c := p.dial()
	c.silent("no octet before the TLS handshake")
	c.tryTLS()
	r := c.reply()
	p.want(r.ok, "the greeting inside TLS", "%s", r)
}

// version is a word like 2.3.19 or v4.1-rc2.
var version = regexp.MustCompile(`^[vV]?[0-9]+(\.[0-9]+)+([-+~][\w.+~-]*)?$`)

func greetingVersion(p *probe) {
	text := angle.ReplaceAllString(p.clear().greeting.text, "")
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ()[]/,;:_", r) })
	for _, word := range words {
		isVersion := version.MatchString(strings.TrimRight(word, ".!")) && net.ParseIP(word) == nil
		p.want(!isVersion, "no version in the greeting", "%q", text)
	}
}
