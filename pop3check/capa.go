package pop3check

import (
	"bytes"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"postfach/pop3"
	"postfach/pop3client"
)

func capaChecks() []row {
	return []row{
		{"P3-CAPA-01", Login, capaStates},
		{"P3-CAPA-02", Login, capaStays},
		{"P3-CAPA-06", 0, capaGrammar},
		{"P3-CAPA-07", 0, capaPrivate},
		{"P3-CAPA-09", 0, capaMechanisms},
		{"P3-CAPA-10", Login, capaRespCodes},
		{"P3-CAPA-11", Login, capaLoginDelay},
		{"P3-CAPA-13", Login, capaExpire},
		{"P3-CAPA-14", Login | Destructive, capaExpireZero},
		{"P3-CAPA-16", 0, capaImplementation},
		{"P3-CAPA-17", 0, capaAuthRespCode},
		{"P3-CAPA-18", 0, capaSTLS},
		{"P3-CAPA-19", 0, capaOnce},
	}
}

// needsCAPA skips the check where there is no CAPA.
func (p *probe) needsCAPA() {
	if p.b.survey.before == nil && p.b.survey.after == nil && p.b.survey.clear == nil {
		p.skip("the server does not know CAPA")
	}
}

// capaStates: a server without CAPA has it in no state.
func capaStates(p *probe) {
	p.needsCAPA()
	c := p.connect()
	c.ok("CAPA")
	c.body()
	c.leave()
	c = p.enter()
	c.ok("CAPA")
	c.body()
}

func capaStays(p *probe) {
	p.needsCAPA()
	c := p.connect()
	before, _ := c.capa()
	c.auth()
	if p.status == Fail {
		p.skipInstead("could not log in")
	}
	after, _ := c.capa()
	var gone []string
	for _, capability := range before {
		if capability.Tag != pop3.CapSTLS && !after.Has(capability.Tag) {
			gone = append(gone, capability.Tag)
		}
	}
	p.want(len(gone) == 0, "all capabilities announced after login, too", "without %v", gone)
}

// capas calls f with what CAPA says in each state that the checker can reach.
func (p *probe) capas(f func(c *conn, lines body)) {
	p.needsCAPA()
	look := func(c *conn) {
		if r := c.cmd("CAPA"); r.ok {
			f(c, c.body())
		}
		c.leave()
	}
	if p.t.Security == pop3client.RequireSTLS {
		look(p.clear())
	}
	look(p.connect())
	if p.t.User != "" && p.b.survey.login == "" && !p.over() {
		look(p.enter())
	}
}

func capaGrammar(p *probe) {
	grammar := regexp.MustCompile(`^[!-\-/-~]+( [!-~]+)*\r\n$`)
	p.capas(func(_ *conn, lines body) {
		for line := range bytes.Lines(lines) {
			if isEnd(line) {
				break
			}
			p.want(grammar.Match(line), "a tag without dot, and parameters with one space in front of each", "%q", line)
		}
	})
}

// registered are the tags of the registry, and the keywords of commands that it
// does not have: a tag may be called like its command.
const registered = " TOP USER SASL RESP-CODES LOGIN-DELAY PIPELINING EXPIRE UIDL IMPLEMENTATION STLS AUTH-RESP-CODE UTF8 LANG" +
	" CAPA APOP LAST NOOP XTND "

func capaPrivate(p *probe) {
	p.capas(func(_ *conn, lines body) {
		for _, tag := range tags(lines) {
			p.want(strings.Contains(registered, " "+tag+" ") || strings.HasPrefix(tag, "X"),
				"tags that are registered or begin with X", "%q", tag)
		}
	})
}

// tags returns the capabilities' tags in upper case.
func tags(lines body) []string {
	var all []string
	for _, line := range lines.lines() {
		if f := strings.Fields(line); len(f) > 0 {
			all = append(all, strings.ToUpper(f[0]))
		}
	}
	return all
}

// capaMechanisms: what is announced before login can be begun. After login no
// mechanism can; the line stays nevertheless (P3-AUTH-29).
func capaMechanisms(p *probe) {
	p.announces(pop3.CapSASL)
	p.capas(func(_ *conn, lines body) {
		for _, line := range lines.lines() {
			f := strings.Fields(line)
			if len(f) == 0 || !strings.EqualFold(f[0], pop3.CapSASL) {
				continue
			}
			p.want(len(f) > 1, "mechanisms behind SASL", "%q", line)
			for _, name := range f[1:] {
				p.want(mechanismName.MatchString(name), "names of mechanisms behind SASL", "%q", line)
			}
		}
	})
	names := p.mechanisms()
	for _, name := range names[:min(len(names), 12)] {
		if challenges(name) {
			c := p.connect()
			c.challenged(name)
			c.cancel()
		}
	}
}

func capaRespCodes(p *probe) {
	p.announces(pop3.CapRespCodes)
	for _, r := range p.errors() {
		p.want(!strings.HasPrefix(behindStatus(r), "[") || codeGrammar.MatchString(r.raw),
			"a response code wherever text begins with a bracket", "%q", r.raw)
	}
}

// number returns the number of a capability, -1 without one.
func number(c pop3.Capability) float64 {
	if len(c.Params) == 0 {
		return -1
	}
	if strings.EqualFold(c.Params[0], "NEVER") {
		return math.Inf(1)
	}
	n, err := strconv.ParseUint(c.Params[0], 10, 63)
	if err != nil {
		return -1
	}
	return float64(n)
}

// numberAndUser reports whether a capability's parameters are a number, or
// another word, and perhaps USER.
func numberAndUser(c pop3.Capability, other string) bool {
	return regexp.MustCompile(`^[A-Z]+-?[A-Z]* ([0-9]+` + other + `)( USER)?$`).MatchString(strings.ToUpper(c.String()))
}

func capaLoginDelay(p *probe) {
	p.announces(pop3.CapLoginDelay)
	c := p.connect()
	capa, _ := c.capa()
	c.leave()
	before, _ := capa.Lookup(pop3.CapLoginDelay)
	p.want(before.Tag == "" || numberAndUser(before, ""), "LOGIN-DELAY, seconds, and perhaps USER", "%q", before)
	c = p.enter()
	capa, _ = c.capa()
	after, _ := capa.Lookup(pop3.CapLoginDelay)
	p.want(after.Tag == "" || numberAndUser(after, ""), "LOGIN-DELAY, seconds, and perhaps USER", "%q", after)
	p.want(before.Tag == "" || number(after) <= number(before),
		"before login the largest delay that anybody may have", "%q before login, %q after it", before, after)
	c.leave()
	if number(after) <= 0 && number(before) <= 0 {
		return
	}
	c = p.connect()
	c.mayEnd = true
	r := c.again(c.tryAuth)
	p.want(!r.ok, "another login refused at once after the last one", "%s", r)
	p.want(r.code.Is(pop3.CodeLoginDelay) || !p.b.has(pop3.CapRespCodes), "[LOGIN-DELAY]", "%s", r)
}

func capaExpire(p *probe) {
	p.announces(pop3.CapExpire)
	c := p.connect()
	capa, _ := c.capa()
	c.leave()
	before, _ := capa.Lookup(pop3.CapExpire)
	c = p.enter()
	capa, _ = c.capa()
	after, _ := capa.Lookup(pop3.CapExpire)
	for _, e := range []pop3.Capability{before, after} {
		p.want(e.Tag == "" || numberAndUser(e, "|NEVER"), "EXPIRE, days or NEVER, and perhaps USER", "%q", e)
	}
	p.want(before.Tag == "" || after.Tag == "" || number(after) >= number(before),
		"before login the shortest retention that anybody may have", "%q before login, %q after it", before, after)
}

// capaExpireZero: at QUIT a server that says EXPIRE 0 may remove what was
// retrieved, and nothing else; without QUIT nothing at all.
func capaExpireZero(p *probe) {
	p.announces(pop3.CapExpire, pop3.CapUIDL)
	if expire, _ := p.b.survey.after.Lookup(pop3.CapExpire); number(expire) != 0 {
		p.skip("the server does not announce EXPIRE 0")
	}
	c := p.filled(2)
	ids := c.uidl()
	c.retrieve()
	c.hangup(false)
	c = p.enter()
	c.hasStill(ids, "")
	if p.over() {
		return
	}
	read := c.uidl()[c.retrieve()]
	c.quit()
	p.enter().hasStill(ids, read)
}

// retrieve reads some message and returns its number.
func (c *conn) retrieve() int {
	n := c.anyMessage()
	c.ok("RETR %d", n)
	c.body()
	return n
}

// hasStill fails the check when messages are gone, but for one.
func (c *conn) hasStill(ids map[int]string, but string) {
	now := slices.Collect(maps.Values(c.uidl()))
	for _, id := range ids {
		c.p.want(id == but || slices.Contains(now, id), "messages kept that were not retrieved in a session with QUIT", "%q is gone", id)
	}
}

func capaImplementation(p *probe) {
	p.announces(pop3.CapImplementation)
	p.capas(func(_ *conn, lines body) {
		for _, line := range lines.lines() {
			if f := strings.Fields(line); len(f) > 0 && strings.EqualFold(f[0], pop3.CapImplementation) {
				p.want(len(f) > 1, "words behind IMPLEMENTATION", "%q", line)
			}
		}
	})
}

// capaAuthRespCode makes logins fail in each way that there is. A server that
// has something else to say (it is overloaded, it wants the client to wait) is
// not judged by that.
func capaAuthRespCode(p *probe) {
	p.announces(pop3.CapAuthRespCode)
	wants := func(how string, r reply) {
		other := r.code.Is("SYS") || r.code.Is(pop3.CodeLoginDelay) || r.code.Is(pop3.CodeInUse)
		p.want(!r.ok && (r.code.Is(pop3.CodeAuth) || other), "-ERR [AUTH] to "+how, "%s", r)
	}
	names := []string{nobody}
	c := p.connect()
	if p.t.User != "" && c.mayWriteSecrets() {
		names = append(names, p.t.User)
	}
	c.leave()
	for _, name := range names {
		if p.hasUser() {
			c := p.connect()
			if c.cmd("USER %s", name).ok { // else there were no credentials yet (P3-RSP-08)
				wants("a wrong password", c.cmd("PASS %s", wrongPassword))
			}
			c.leave()
		}
		if p.offers("PLAIN") {
			c := p.connect()
			wants("AUTH PLAIN with a wrong password", c.plain("\x00"+name+"\x00"+wrongPassword))
			c.leave()
		}
	}
	if c = p.clear(); c.timestamp() != "" {
		wants("APOP with a wrong digest", c.cmd("APOP %s %s", nobody, md5Hex(c.timestamp()+wrongPassword)))
	}
}

// capaSTLS looks for STLS where TLS is active, and for what STLS does where it
// is announced. That a server lists it after a login in clear, where it is
// announced and not valid, has RFC 2595 for and against it (AMB-16).
func capaSTLS(p *probe) {
	if p.t.Security != pop3client.ImplicitTLS {
		c := p.clear()
		capa, known := c.capa()
		r := c.cmd("STLS")
		p.want(known || !r.ok, "CAPA where there is STLS", "CAPA refused; STLS: %s", r)
		p.want(r.ok || !capa.Has(pop3.CapSTLS), "+OK to STLS, which CAPA announces", "%s", r)
		c.close()
	}
	if p.t.Security == pop3client.Cleartext {
		return
	}
	p.needsCAPA()
	c := p.connect()
	capa, _ := c.capa()
	p.want(!capa.Has(pop3.CapSTLS), "no STLS in CAPA while TLS is active", "%v", capa)
	if p.t.User == "" || p.b.survey.login != "" {
		return
	}
	c.auth()
	capa, _ = c.capa()
	p.want(!capa.Has(pop3.CapSTLS), "no STLS in CAPA while TLS is active", "%v", capa)
}

func capaOnce(p *probe) {
	p.capas(func(_ *conn, lines body) {
		all := tags(lines)
		for i, tag := range all {
			p.want(!slices.Contains(all[:i], tag), "each tag once", "%s twice", tag)
			p.want(tag != "CAPA" && tag != "APOP" && tag != "LAST", "tags that are capabilities", "%s, which is none", tag)
		}
	})
}

// capaUnchecked says why rules of P3-CAPA are no checks.
func capaUnchecked() map[string]string { return nil }
