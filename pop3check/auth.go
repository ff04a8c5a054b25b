package pop3check

import (
	"encoding/base64"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"postfach/pop3"
)

func authChecks() []row {
	return []row{
		{"P3-AUTH-01", Login, authInitial},
		{"P3-AUTH-02", 0, authNames},
		{"P3-AUTH-03", 0, authUnknown},
		{"P3-AUTH-04", 0, authChallengeGrammar},
		{"P3-AUTH-05", 0, authEmptyChallenge},
		{"P3-AUTH-07", 0, authCancel},
		{"P3-AUTH-08", 0, authEmptyInitial},
		{"P3-AUTH-10", 0, authClientFirst},
		{"P3-AUTH-12", 0, authLongLine},
		{"P3-AUTH-13", 0, authServerFirst},
		{"P3-AUTH-14", 0, authNoBase64},
		{"P3-AUTH-15", Login, authStrictBase64},
		{"P3-AUTH-17", 0, authLongResponse},
		{"P3-AUTH-18", Login, authDecides},
		{"P3-AUTH-19", Login, authFailedIsForgotten},
		{"P3-AUTH-20", Login, authOnce},
		{"P3-AUTH-21", Login, authNoDataWithSuccess},
		{"P3-AUTH-23", Login, authPlainOverTLS},
		{"P3-AUTH-24", STLS, authNothingInClear},
		{"P3-AUTH-27", Login, authIdentityPrepared},
		{"P3-AUTH-29", Login, authStaysAnnounced},
		{"P3-AUTH-31", 0, authNoCommands},
		{"P3-AUTH-32", 0, authAlone},
		{"P3-AUTH-33", Clear, authLoginInClear},
		{"P3-AUTH-34", 0, authBounded},
	}
}

// rightPlain is PLAIN's message for the account.
func (p *probe) rightPlain() string { return "\x00" + p.t.User + "\x00" + p.t.Password }

func encode(octets string) string { return base64.StdEncoding.EncodeToString([]byte(octets)) }

// enterByPlain logs in with AUTH PLAIN, or skips the check.
func (p *probe) enterByPlain() *conn {
	p.needsMechanism("PLAIN")
	c := p.connect()
	c.guarded()
	r := c.again(func() reply { return c.plain(p.rightPlain()) })
	p.skipInstead("could not log in with AUTH PLAIN")
	if !r.ok {
		p.skip("could not log in with AUTH PLAIN: %s", r)
	}
	return c
}

func authInitial(p *probe) {
	p.needsMechanism("PLAIN")
	c := p.connect()
	c.guarded()
	r := c.again(func() reply {
		c.say("AUTH PLAIN %s", encode(p.rightPlain()))
		return c.verdict()
	})
	p.want(r.ok, "+OK to AUTH PLAIN with the right initial response", "%s", r)
}

// anyMechanism returns a mechanism that is announced and that challenges
// everybody.
func (p *probe) anyMechanism() string {
	for _, name := range p.mechanisms() {
		if challenges(name) {
			return name
		}
	}
	p.skip("the server announces no SASL mechanism that the checker can begin")
	return "PLAIN"
}

// challenges reports whether a mechanism without initial response is answered
// with a challenge, whoever asks.
func challenges(mechanism string) bool {
	return slices.Contains([]string{
		"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2",
	}, mechanism)
}

// mixed is a name in lower and upper case.
func mixed(name string) string { return name[:1] + strings.ToLower(name[1:]) }

func authNames(p *probe) {
	name := p.anyMechanism()
	for _, spelled := range []string{strings.ToLower(name), mixed(name)} {
		c := p.connect()
		c.challenged(spelled)
		c.cancel()
	}
	p.connect().no("AUTH %s", strings.Repeat("X", 21))
}

func authUnknown(p *probe) {
	p.connect().no("AUTH FOOBAR")
}

// authChallengeGrammar looks at the first challenge of all mechanisms. That an
// empty one has its space is P3-AUTH-05.
func authChallengeGrammar(p *probe) {
	grammar := regexp.MustCompile(`^(\+ [A-Za-z0-9+/]*={0,2}|\+)\r\n$`)
	names := p.mechanisms()
	if len(names) == 0 {
		p.skip("the server announces no SASL mechanism")
	}
	for _, name := range names[:min(len(names), 12)] {
		c := p.connect()
		c.say("AUTH %s", name)
		line := c.line()
		if _, refused := parseReply(line); refused || p.over() {
			continue
		}
		data := strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(line, "+"), " "), "\r\n")
		_, err := base64.StdEncoding.Strict().DecodeString(data)
		p.want(grammar.MatchString(line) && err == nil, "a challenge that is \"+\", a space and base64", "%q to AUTH %s", line, name)
		c.cancel()
	}
}

func authEmptyChallenge(p *probe) {
	p.needsMechanism("PLAIN")
	c := p.connect()
	c.say("AUTH PLAIN")
	line := c.line()
	p.want(line == "+ \r\n", `"+ \r\n" to AUTH PLAIN`, "%q", line)
	c.cancel()
}

func authCancel(p *probe) {
	name := p.anyMechanism()
	c := p.connect()
	c.challenged(name)
	c.no("*")
	c.mayEnd = true
	c.challenged(name)
	c.no("*")
}

func authEmptyInitial(p *probe) {
	p.needsMechanism("PLAIN")
	c := p.connect()
	_, r, more := c.begin("PLAIN =")
	p.want(!more, "\"=\" taken for an empty response, which PLAIN refuses", "a challenge, as if there were none")
	p.want(!r.ok, "-ERR to an empty response", "%s", r)
}

func authClientFirst(p *probe) {
	begun := false
	for _, name := range p.mechanisms() {
		switch name {
		case "PLAIN", "EXTERNAL", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2":
		default:
			continue
		}
		begun = true
		c := p.connect()
		challenge, r, more := c.begin(name)
		if name != "EXTERNAL" { // it may fail at once: there is no certificate
			p.want(more, "an empty challenge to AUTH "+name, "%s", r)
		}
		p.want(len(challenge) == 0, "an empty challenge to AUTH "+name, "one of %d octets", len(challenge))
		c.cancel()
	}
	if !begun {
		p.skip("the server announces no mechanism in which the client is first")
	}
}

// authLongLine sends an AUTH line of nearly 4 KiB. A mechanism may refuse what it
// says; the line must be read to its end, and be one line.
func authLongLine(p *probe) {
	p.needsMechanism("PLAIN")
	short := p.connect()
	_, few, _ := short.begin("PLAIN " + encode("\x00"+nobody+"\x00"+wrongPassword))
	short.leave()
	c := p.connect()
	_, r, more := c.begin("PLAIN " + encode("\x00"+nobody+"\x00"+strings.Repeat("x", 2800)))
	p.want(!more && !r.ok, "-ERR to wrong credentials in an AUTH line of 4 KiB", "%s", heardInstead(r, more))
	p.want(!tooLong.MatchString(r.text) || tooLong.MatchString(few.text), "an AUTH line of 4 KiB refused for what it says", "%s", r)
	c.nothingMore("an AUTH line of 4 KiB")
}

// nothingMore listens behind the reply to a long line: for replies to its rest,
// and for the end of the connection, which must be that of each failed login
// (P3-ST-07).
func (c *conn) nothingMore(what string) {
	line, closed := c.atEnd(c.p.t.quiet())
	c.p.want(line == "", "one reply to "+what, "%q behind it", line)
	if !closed || c.p.over() {
		return
	}
	short := c.p.connect()
	short.plain("\x00" + nobody + "\x00" + wrongPassword)
	_, closed = short.atEnd(c.p.t.quiet())
	c.p.want(closed, "the connection still open after "+what+", as after a short one", "its end")
}

// longNonce begins SCRAM with a nonce of so many octets. The mechanism may refuse
// it; if it does not, its challenge is as long, and must be whole.
func (p *probe) longNonce(length int) {
	m := scramOf(p)
	if m.name == "" || p.over() {
		return
	}
	c := p.connect()
	if c.challenged(m.name); c.dead() {
		return
	}
	nonce := strings.Repeat("n", length)
	name := nobody // whom some servers refuse at once
	if p.t.User != "" && c.mayWriteSecrets() {
		name = c.scramName()
	}
	c.mayEnd = true
	c.respond([]byte("n,,n=" + name + ",r=" + nonce))
	challenge, _, more := c.challenge()
	if !more {
		c.inStep("a response of 8000 octets")
		return
	}
	p.want(strings.HasPrefix(string(challenge), "r="+nonce), "a challenge with the whole nonce of the client", "one of %d octets", len(challenge))
	c.no("*")
	c.inStep("a challenge of 8000 octets")
}

// inStep fails the check unless the session goes on behind one reply, or ends.
func (c *conn) inStep(what string) {
	if c.dead() {
		return
	}
	line, closed := c.atEnd(c.p.t.quiet())
	c.p.want(line == "", "one reply to "+what, "%q behind it", line)
	if closed || c.p.over() {
		return
	}
	c.mayEnd = true
	c.ok("QUIT")
}

func authServerFirst(p *probe) {
	p.needsMechanism("CRAM-MD5")
	c := p.connect()
	_, r, more := c.begin("CRAM-MD5 AAAA")
	p.want(!more && !r.ok, "-ERR to an initial response where the server is first", "a challenge")
}

func authNoBase64(p *probe) {
	p.needsMechanism("PLAIN")
	c := p.connect()
	_, r, more := c.begin("PLAIN !!!!")
	p.want(!more && !r.ok, "-ERR to an initial response that is no base64", "%s", heardInstead(r, more))
	c.mayEnd = true
	if c.challenged("PLAIN"); c.dead() {
		return
	}
	c.say("AAA")
	_, r, more = c.challenge()
	p.want(!more && !r.ok, "-ERR to a response that is no base64", "%s", heardInstead(r, more))
}

// heardInstead is a reply, or a word for the challenge that came instead.
func heardInstead(r reply, challenge bool) string {
	if challenge {
		return "a challenge"
	}
	return r.String()
}

// authStrictBase64 spoils the right response so that a lenient decoder would
// still read it.
func authStrictBase64(p *probe) {
	p.needsMechanism("PLAIN")
	right := encode(p.rightPlain())
	for _, wrong := range []struct{ what, line string }{
		{"an octet outside the alphabet", right[:3] + "!" + right[3:]},
		{"a space", right[:3] + " " + right[3:]},
		{`"=" in the middle`, right[:4] + "=" + right[4:]},
		{`"=" before the end`, encode("\x00") + encode(p.rightPlain()[1:])},
	} {
		c := p.connect()
		c.guarded()
		if c.challenged("PLAIN"); c.dead() {
			return
		}
		c.secretly(wrong.line)
		_, r, more := c.challenge()
		p.want(!more && !r.ok && !r.code.Is(pop3.CodeInUse), "-ERR to base64 with "+wrong.what, "%s", heardInstead(r, more))
		c.leave()
	}
}

// authLongResponse sends the longest response that PLAIN may need, which is
// refused like a short one, and one that no mechanism needs, which the server may
// refuse as it likes, but as one line.
func authLongResponse(p *probe) {
	if !p.offers("PLAIN") && scramOf(p).name != "" {
		p.longNonce(6000)
		return
	}
	p.needsMechanism("PLAIN")
	short := p.connect()
	few := short.plain(nobody + "\x00" + nobody + "\x00" + wrongPassword)
	short.leave()

	c := p.connect()
	name := nobody + strings.Repeat("n", 255-len(nobody))
	r := c.plain(name + "\x00" + name + "\x00" + strings.Repeat("x", 255))
	p.want(!r.ok, "-ERR to wrong credentials", "%s", r)
	p.want(r.code.Is(few.code) && (!tooLong.MatchString(r.text) || tooLong.MatchString(few.text)),
		"a response of 1024 octets, which PLAIN may need, refused like a short one", "%q instead of %q", r.String(), few.String())
	c.nothingMore("a response of 1024 octets")
	c.leave()

	c = p.connect()
	if c.challenged("PLAIN"); c.dead() {
		return
	}
	c.mayEnd = true
	c.respond([]byte("\x00" + nobody + "\x00" + strings.Repeat("x", 6000)))
	_, r, more := c.challenge()
	p.want(!more && !r.ok, "-ERR to wrong credentials", "%s", heardInstead(r, more))
	c.inStep("a response of 8000 octets")
	c.leave()
	p.longNonce(6000)
}

func authDecides(p *probe) {
	c := p.enterByPlain()
	c.ok("STAT")
	c.leave()
	c = p.connect()
	r := c.plain("\x00" + p.t.User + "\x00" + wrongPassword)
	p.want(!r.ok, "-ERR to a wrong password", "%s", r)
	c.mayEnd = true
	c.no("STAT")
}

func authFailedIsForgotten(p *probe) {
	p.needsMechanism("PLAIN")
	c := p.connect()
	c.guarded()
	r := c.plain("\x00" + p.t.User + "\x00" + wrongPassword)
	p.want(!r.ok, "-ERR to a wrong password", "%s", r)
	c.mayEnd = true
	r = c.again(func() reply {
		if p.hasUser() {
			return c.userPass(p.t.User, p.t.Password)
		}
		return c.plain(p.rightPlain())
	})
	p.want(r.ok || c.closed, "a login to work after AUTH has failed", "%s", r)
}

func authOnce(p *probe) {
	c := p.enterByPlain()
	_, r, more := c.begin("PLAIN")
	p.want(!more && !r.ok, "-ERR to AUTH after a successful AUTH", "%s", heardInstead(r, more))
	c.ok("NOOP")
}

func authNoDataWithSuccess(p *probe) {
	m := p.needsSCRAM()
	c := p.connect()
	s := c.scram(m, scramTry{})
	p.want(s.final != "" || !s.reply.ok, "the server's last data in a challenge", "+OK without one before it")
	if !s.reply.ok {
		p.skip("could not log in with %s: %s", m.name, s.reply)
	}
}

// authPlainOverTLS: whether a server that does not offer PLAIN implements it is
// not visible.
func authPlainOverTLS(p *probe) {
	c := p.secure()
	c.guarded()
	capa, known := c.capa()
	if known && !slices.Contains(upper(capa.Mechanisms()), "PLAIN") {
		p.skip("the server does not offer PLAIN over TLS")
	}
	r := c.again(func() reply { return c.plain(p.rightPlain()) })
	p.want(r.ok, "PLAIN to work over TLS", "%s", r)
}

// authNothingInClear looks at a server that announces no mechanism before TLS
// that sends the password: it must refuse them all, too. P3-USR-08 and P3-TLS-11
// ask for the same; that it can be configured so is not visible elsewhere.
func authNothingInClear(p *probe) {
	sends := func(capa pop3.Capabilities) bool {
		names := upper(capa.Mechanisms())
		return capa.Has(pop3.CapUser) || slices.Contains(names, "PLAIN") || slices.Contains(names, "LOGIN")
	}
	if sends(p.b.survey.clear) {
		p.skip("the server announces passwords in clear: its operator may want that")
	}
	c := p.clear()
	if r := c.cmd("USER %s", nobody); r.ok {
		p.want(!p.secure().cmd("USER %s", nobody).ok, "USER refused in clear, where it is not announced", "%s", r)
	}
	for _, name := range []string{"PLAIN", "LOGIN"} {
		c := p.clear()
		c.mayEnd = true
		_, r, more := c.begin(name)
		p.want(!r.ok, "AUTH "+name+" refused in clear, where it is not announced", "%s", r)
		switch {
		case !more:
		case name == "PLAIN" && p.t.User != "" && c.mayWriteSecrets():
			c.respond([]byte(p.rightPlain()))
			r := c.verdict()
			p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "AUTH PLAIN refused in clear, where it is not announced", "%s", r)
		default:
			c.cancel()
		}
	}
}

// authIdentityPrepared names identities that SASLprep refuses or makes empty.
func authIdentityPrepared(p *probe) {
	p.needsMechanism("PLAIN")
	p.refuses([]plainMessage{
		{"the authorization identity U+0007", "\x07" + p.rightPlain()},
		{"the authorization identity U+00AD, which preparation makes empty", "\u00ad" + p.rightPlain()},
	})
}

func authStaysAnnounced(p *probe) {
	c := p.enterByPlain()
	capa, known := c.capa()
	p.want(known && capa.Has(pop3.CapSASL), "SASL in CAPA after AUTH, as before", "%v", capa)
}

func authNoCommands(p *probe) {
	p.needsMechanism("PLAIN")
	for _, word := range []string{"QUIT", "CAPA"} {
		c := p.connect()
		c.challenged("PLAIN")
		c.say("%s", word)
		_, r, more := c.challenge()
		p.want(!more && !r.ok, "-ERR to "+word+", which is a response here", "%s", heardInstead(r, more))
		c.mayEnd = true
		if c.ok("CAPA"); !c.dead() {
			c.body()
		}
		c.leave()
	}
}

// authAlone: RFC 5034 has no AUTH without mechanism, and old clients want a
// list. Both are right (AMB-14); a positive reply without list is not.
func authAlone(p *probe) {
	c := p.connect()
	r := c.cmd("AUTH")
	if !r.ok {
		p.note("AUTH alone is refused")
		return
	}
	names := c.body().lines()
	for _, name := range names {
		p.want(mechanismName.MatchString(name), "a list of mechanisms", "%q", name)
	}
	p.note("AUTH alone lists mechanisms: %v", names)
}

// mechanismName is what RFC 4422 allows.
var mechanismName = regexp.MustCompile(`^[A-Z0-9_-]{1,20}$`)

func authLoginInClear(p *probe) {
	c := p.clear()
	_, _, more := c.begin("LOGIN")
	p.want(!more, "AUTH LOGIN refused without TLS", "a challenge")
}

// authBounded sends a response of a megabyte. The server may close while it is
// on its way; then its last words may be lost.
func authBounded(p *probe) {
	name := p.anyMechanism()
	c := p.connect()
	if c.challenged(name); c.dead() {
		return
	}
	c.mayEnd = true
	c.note("C: (a response of 1 MiB)")
	c.deadline(p.t.timeout())
	if _, err := io.WriteString(c.nc, strings.Repeat("A", 1<<20)+"\r\n"); err != nil && !c.ended(err) {
		p.fail("-ERR, or the connection's end", "the server takes no more: %v", err)
	}
	_, r, more := c.challenge()
	if c.dead() {
		return
	}
	p.want(!more && !r.ok, "-ERR, or the connection's end, to a response of 1 MiB", "%s", heardInstead(r, more))
	if line, closed := c.atEnd(min(p.t.timeout(), 5*time.Second)); line != "" || !closed {
		p.want(line == "", "the connection's end behind it", "%q", line)
		p.fail("the connection's end behind it", "it is still open")
	}
}

// authUnchecked says why rules of P3-AUTH are no checks.
func authUnchecked() map[string]string {
	return map[string]string{
		"P3-AUTH-22": "visible with GSSAPI and DIGEST-MD5 only, for which the checker has no client",
		"P3-AUTH-26": "what a server implements and its operator does not offer is not visible",
		"P3-AUTH-30": "a security layer needs GSSAPI or DIGEST-MD5, for which the checker has no client",
	}
}
