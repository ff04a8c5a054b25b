package pop3check

import (
	"regexp"
	"strings"

	"postfach/pop3"
)

func codesChecks() []row {
	return []row{
		{"P3-RSP-01", Login, codesGrammar},
		{"P3-RSP-04", Login, codesAnnounced},
		{"P3-RSP-05", Login, codeLoginDelay},
		{"P3-RSP-06", Login, codeInUse},
		{"P3-RSP-07", Login, codeSys},
		{"P3-RSP-08", 0, codeAuth},
		{"P3-RSP-10", Login | Mail, codeUTF8},
		{"P3-RSP-11", Login, codesRegistered},
		{"P3-RSP-12", Login, noBrackets},
	}
}

// codeGrammar is a line with a response code.
var codeGrammar = regexp.MustCompile(`^(?i:\+OK|-ERR) \[[!-.0-\\^-~]+(/[!-.0-\\^-~]+)*\]`)

// behindStatus is the text of a reply, response code included.
func behindStatus(r reply) string {
	_, text, _ := strings.Cut(r.String(), " ")
	return text
}

// errors returns the greeting and what the server says to mistakes of many
// kinds, in both states.
func (p *probe) errors() []reply {
	c := p.connect()
	all := []reply{c.greeting}
	all = append(all, c.cmd("XPOSTFACH"))
	c.mayEnd = true
	_, r := c.knock(nobody, wrongPassword)
	all = append(all, r, c.cmd("QUIT"))
	c = p.enter()
	for _, command := range []string{"XPOSTFACH", "RETR 0", "LIST 999999999", "USER " + nobody, "STLS"} {
		all = append(all, c.cmd("%s", command))
		c.mayEnd = true
	}
	return all
}

// withCode returns the replies that have a response code by their form.
func withCode(replies []reply) []reply {
	var all []reply
	for _, r := range replies {
		if codeGrammar.MatchString(r.raw) {
			all = append(all, r)
		}
	}
	return all
}

// codesGrammar looks for codes that clients know, not written as they must be.
// Other text in brackets may be text: P3-RSP-12.
func codesGrammar(p *probe) {
	written := regexp.MustCompile(`^ *[\[(]? *(?i:LOGIN-DELAY|IN-USE|SYS/?(?:TEMP|PERM)?|AUTH|UTF8) *[\])]`)
	for _, r := range p.errors() {
		text := strings.TrimPrefix(strings.TrimPrefix(strings.TrimRight(r.raw, "\r\n"), "-ERR"), "+OK")
		looks := written.MatchString(text) || p.b.has(pop3.CapRespCodes) && strings.HasPrefix(text, " [")
		p.want(!looks || codeGrammar.MatchString(r.raw), "a code in brackets, one space behind the status", "%q", r.raw)
	}
}

func codesAnnounced(p *probe) {
	for _, r := range withCode(p.errors()) {
		p.want(!known(r.code) || p.b.has(pop3.CapRespCodes), "RESP-CODES in CAPA where codes are used", "%s", r)
	}
}

// known reports whether a code is one of the registry.
func known(code pop3.Code) bool {
	for _, c := range []pop3.Code{pop3.CodeLoginDelay, pop3.CodeInUse, pop3.CodeSysTemp, pop3.CodeSysPerm, pop3.CodeAuth, pop3.CodeUTF8} {
		if code.Is(c) {
			return true
		}
	}
	return false
}

// codesRegistered lets pass codes that begin with X, and those that their
// makers have published.
func codesRegistered(p *probe) {
	for _, r := range withCode(p.errors()) {
		level, _, _ := strings.Cut(strings.ToUpper(string(r.code)), "/")
		p.want(!p.b.has(pop3.CapRespCodes) || known(r.code) || strings.HasPrefix(level, "X") || level == "REFERRAL",
			"codes that are registered", "%s", r)
	}
}

// noBrackets looks for text that is read as a code and is none: an address, a
// number.
func noBrackets(p *probe) {
	word := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_/-]*$`)
	for _, r := range p.errors() {
		if text := behindStatus(r); strings.HasPrefix(text, "[") && !strings.HasPrefix(strings.ToUpper(text), "[REFERRAL/") {
			p.want(codeGrammar.MatchString(r.raw) && word.MatchString(string(r.code)), "text that does not begin with a bracket", "%q", r.raw)
		}
	}
}

func codeLoginDelay(p *probe) {
	p.announces(pop3.CapLoginDelay, pop3.CapRespCodes)
	p.needsUser()
	c := p.enter()
	c.leave()
	c = p.connect()
	c.mayEnd = true
	r := c.cmd("USER %s", p.t.User)
	p.want(!r.code.Is(pop3.CodeLoginDelay), "no [LOGIN-DELAY] before the password is there", "%s", r)
	if !r.ok || p.over() {
		return
	}
	r = c.cmd("PASS %s", p.t.Password)
	p.want(r.ok || c.closed || r.code.Is(pop3.CodeLoginDelay) || r.code.Is(pop3.CodeInUse), "[LOGIN-DELAY] when a login comes too early", "%s", r)
}

// codeInUse tries a second session. Where that is let in there is no lock
// (AMB-20), and nothing to say.
func codeInUse(p *probe) {
	p.announces(pop3.CapRespCodes)
	p.needsPasswords()
	held := p.enter()
	c := p.connect()
	c.guarded()
	c.mayEnd = true
	_, r := c.knock(p.t.User, p.t.Password)
	if r.ok {
		p.skip("the server lets two sessions in at once")
	}
	p.want(c.closed || r.code.Is(pop3.CodeInUse), "[IN-USE] for the right password while another session has the maildrop", "%s", r)
	c.leave()
	c = p.connect()
	c.mayEnd = true
	_, r = c.knock(p.t.User, wrongPassword)
	p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "-ERR without [IN-USE] for a wrong password", "%s", r)
	held.ok("NOOP")
}

// codeSys makes mistakes of the client's own. What a server says when something
// inside it fails is not visible without such a failure.
func codeSys(p *probe) {
	p.announces(pop3.CapRespCodes)
	c := p.enter()
	for _, command := range []string{"XPOSTFACH", "RETR 0", "LIST 999999999"} {
		r := c.no("%s", command)
		p.want(!r.code.Is("SYS"), "no [SYS] for a mistake of the client", "%s", r)
	}
}

// codeUTF8 asks for a message with UTF-8 in its header, not in UTF-8 mode. One
// that is served all the same is P3-UTF-04's.
func codeUTF8(p *probe) {
	p.announces(pop3.CapUTF8, pop3.CapRespCodes)
	c := p.login("utf8-header")
	n := c.number("utf8-header")
	r := c.cmd("RETR %d", n)
	if r.ok {
		c.body()
	}
	p.want(r.ok || r.code.Is(pop3.CodeUTF8), "[UTF8] where a message is refused for want of UTF-8 mode", "%s", r)
}

// codeAuth: whoever says [AUTH] to credentials announces that, and does not say
// it before the password is there. Where USER is refused because the connection
// is in clear, RFC 3206 may mean [AUTH] (AMB-19): only where it is announced.
func codeAuth(p *probe) {
	p.needsPasswords()
	c := p.connect()
	c.mayEnd = true
	var r reply
	if p.hasUser() {
		r = c.cmd("USER %s", nobody)
		p.want(!r.code.Is(pop3.CodeAuth), "no [AUTH] before the password is there", "%s", r)
		if r.ok {
			r = c.cmd("PASS %s", wrongPassword)
		}
	} else {
		r = c.plain("\x00" + nobody + "\x00" + wrongPassword)
	}
	p.want(!r.code.Is(pop3.CodeAuth) || p.b.has(pop3.CapAuthRespCode), "AUTH-RESP-CODE in CAPA where [AUTH] is used", "%s", r)
	c.leave()
	c = p.connect()
	r = c.cmd("XPOSTFACH")
	p.want(!r.code.Is(pop3.CodeAuth), "no [AUTH] where there are no credentials", "%s", r)
}

// codesUnchecked says why rules of P3-RSP are no checks.
func codesUnchecked() map[string]string { return nil }
