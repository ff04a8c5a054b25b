package pop3check

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/sasl"
)

// mayLogin reports whether the password may be written to this server, and
// says why not.
func (x *course) mayLogin(ctx context.Context, can *Candidate) bool {
	e := &exam{x: x, ctx: ctx, can: can}
	e.begin()
	switch {
	case !can.Secure:
		return e.notTried("login-certificate")
	case !can.Vouched:
		return e.notTried("login-unvouched")
	case can.Security == pop3client.Cleartext && !x.q.AllowCleartext && !can.local():
		return e.notTried("login-cleartext")
	}
	return true
}

// local reports whether all that was said there stayed on this machine.
func (c *Candidate) local() bool {
	i := slices.IndexFunc(c.Addresses, func(a Address) bool { return a.Outcome == "connected" })
	return i >= 0 && c.Addresses[i].IP.IsLoopback()
}

func (e *exam) notTried(why string) bool {
	e.p.skip("%s", e.x.fill(causes()[why].says, e.can))
	e.can.cause = why
	e.done("login")
	return false
}

// session logs in and looks at the maildrop, on a connection of its own: the
// one before may be long ago.
func (x *course) session(ctx context.Context, used *Candidate) {
	again := *used
	e := &exam{x: x, ctx: ctx, can: &again, silent: true, noCapa: used.Clear == nil && used.InTLS == nil}
	e.can.cause = ""
	defer e.leave()
	opened := e.connect() && e.talk()
	e.silent = false
	again.findings = used.findings
	defer func() { *used = again }()
	if !opened {
		e.begin()
		e.p.fail("a second connection like the first", "%s", cmp.Or(e.can.Outcome, "none"))
		e.done("login")
		return
	}
	if used.TLS != nil && !again.TLS.Trusted || used.Security == pop3client.Cleartext && !x.q.AllowCleartext && !e.loopback() {
		e.begin()
		e.notTried("login-certificate")
		return
	}
	if !x.logIn(e) {
		return
	}
	x.d.LoggedIn = true
	e.askCapa(&e.can.Inside)
	e.maildrop()
}

// logIn tries the names that the account may have.
func (x *course) logIn(e *exam) bool {
	if x.q.User == "" && e.can.Login != "" {
		x.d.User = e.can.Login // autoconfig says what it is
	}
	r, ok := e.login(x.d.User)
	byAddress := x.q.User == "" && x.d.User == x.where.address() && x.where.local != ""
	if ok || !byAddress || !r.code.Is(pop3.CodeAuth) || e.can.cause != "password" {
		return ok
	}
	// P3-DISC-05: the whole address first, then what stands before the @.
	if e.c.closed || !e.alive() {
		e.c.close()
		e.silent = true
		opened := e.connect() && e.talk()
		e.silent = false
		if !opened || e.can.TLS != nil && !e.can.TLS.Trusted {
			return false
		}
	}
	first := e.can.findings[len(e.can.findings)-1]
	was, trace := e.can.cause, e.can.trace
	if _, ok := e.login(x.where.local); !ok {
		// The address is what most servers want: its refusal is reported.
		e.can.findings[len(e.can.findings)-1] = first
		e.can.cause, e.can.trace = was, trace
		return false
	}
	e.can.cause = ""
	e.can.findings = slices.DeleteFunc(e.can.findings, func(r Result) bool { return r.ID == "login" && r.Status == Fail })
	x.d.User = x.where.local
	return true
}

// alive reports whether the server still answers.
func (e *exam) alive() bool {
	e.begin()
	defer e.begin()
	e.c.cmd("CAPA")
	if e.p.over() {
		return false
	}
	if e.can.Clear != nil || e.can.InTLS != nil {
		e.c.body()
	}
	return !e.p.over()
}

// login logs in, the strongest way that the server announces. A refusal is
// final: nothing weaker is tried after it.
func (e *exam) login(user string) (reply, bool) {
	e.begin()
	began := time.Now()
	way, why := e.way(user)
	if why != "" {
		return reply{}, e.loginFails(why, capaLine(e.capaNow()))
	}
	e.can.Mechanism = way
	var r reply
	var err error
	switch way {
	case sasl.ScramSHA256:
		r, err = e.sasl(sasl.NewScramClient(sasl.SHA256, false, user, e.x.q.Password))
	case sasl.Plain:
		r, err = e.sasl(sasl.NewPlainClient("", user, e.x.q.Password))
	default:
		if r = e.c.cmd("USER %s", user); r.ok {
			r = e.c.cmd("PASS %s", e.x.q.Password)
		}
	}
	e.hideChallenges()
	switch {
	case errors.Is(err, pop3client.ErrUnproved):
		return r, e.loginFails("unproved", r.String())
	case e.p.over() || err != nil:
		return r, e.loginFails("login", cmp.Or(e.p.got, errorText(err)))
	case !r.ok:
		return r, e.loginFails(e.whyRefused(r), r.String())
	}
	e.time("login", began)
	e.c.loggedIn = true
	e.can.cause = ""
	e.p.note("%s: %s", way, r)
	return r, e.done("login")
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (e *exam) loginFails(why, got string) bool {
	e.can.cause = why
	e.p.status = ""
	e.p.fail(strings.TrimSuffix(requirement("login").Rule, "."), "%s", got)
	return e.done("login")
}

// whyRefused is the function, and what the capabilities add.
func (e *exam) whyRefused(r reply) string {
	why := whyRefused(r, e.c.tls, e.capaNow())
	if why == "password" && !e.c.tls && e.can.Clear != nil && !e.can.Clear.Has(pop3.CapUser) && e.can.Clear.Has(pop3.CapSTLS) {
		return "tls-wanted"
	}
	return why
}

// capaNow is what the server announces on this connection.
func (e *exam) capaNow() pop3.Capabilities {
	if e.c.tls {
		return e.can.InTLS
	}
	return e.can.Clear
}

// way chooses how to log in, or says why there is no way.
func (e *exam) way(user string) (way, why string) {
	password := e.x.q.Password
	if strings.ContainsAny(user+password, "\x00\r\n") { // P3-SYN-26
		return "", "unsendable"
	}
	capa := e.capaNow()
	mechanisms := capa.Mechanisms()
	has := func(name string) bool {
		return slices.ContainsFunc(mechanisms, func(m string) bool { return strings.EqualFold(m, name) })
	}
	for _, name := range []string{sasl.ScramSHA256, sasl.Plain} {
		if has(name) {
			return name, ""
		}
	}
	if len(mechanisms) > 0 && !capa.Has(pop3.CapUser) {
		if has("XOAUTH2") || has("OAUTHBEARER") {
			return "", "oauth-only"
		}
		return "", "no-mechanism"
	}
	names, _ := capa.Lookup(pop3.CapUTF8)
	if !names.Has(pop3.CapUser) && strings.ContainsFunc(user+password, func(r rune) bool { return r >= 0x80 }) { // P3-UTF-08
		return "", "unsendable"
	}
	return "USER and PASS", ""
}

// sasl plays a mechanism's client. +OK counts only when the mechanism has seen
// the server's proof, where there is one (P3-SCRAM-05).
func (e *exam) sasl(mech sasl.Client) (reply, error) {
	name, initial, err := mech.Start()
	if err != nil {
		return reply{}, err
	}
	waiting := initial != nil
	e.c.say("AUTH %s", name)
	for range 8 {
		challenge, r, more := e.c.challenge()
		if e.p.over() {
			return r, nil
		}
		if !more {
			m, proves := mech.(interface{ Finished() bool })
			if r.ok && proves && !m.Finished() {
				return r, pop3client.ErrUnproved
			}
			return r, nil
		}
		response := initial
		if !waiting {
			response, err = mech.Next(challenge)
		}
		waiting = false
		if err != nil {
			e.c.say("*") // P3-AUTH-07
			return e.c.reply(), err
		}
		e.c.respond(response)
	}
	return reply{}, errors.New("more than eight challenges")
}

// hideChallenges takes the challenges out of the trace. With some mechanisms
// they are enough to guess the password against.
func (e *exam) hideChallenges() {
	for i, line := range e.p.trace {
		if text, found := strings.CutPrefix(line, "S: "); found {
			e.p.trace[i] = "S: " + string(popwire.RedactChallenge([]byte(text), true))
		}
	}
}

// conceal takes the password out of all text, should a server have repeated
// it.
func (x *course) conceal() {
	const short = 4 // what is shorter would show itself by the gaps it leaves
	password := x.q.Password
	if len(password) < short {
		return
	}
	var pairs []string
	secrets := []string{
		password, escape(password), printable(password), base64.StdEncoding.EncodeToString([]byte(password)),
	}
	for _, user := range []string{x.q.User, x.d.User, x.where.address(), x.where.local} {
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)))
	}
	for _, secret := range secrets {
		pairs = append(pairs, secret, popwire.Secret)
	}
	hide := strings.NewReplacer(pairs...).Replace
	d := x.d
	d.Verdict = hide(d.Verdict)
	all := func(lines []string) {
		for i := range lines {
			lines[i] = hide(lines[i])
		}
	}
	all(d.Advice)
	all(d.Exchange)
	for i := range d.Findings {
		r := &d.Findings[i]
		r.Want, r.Got = hide(r.Want), hide(r.Got)
		all(r.Trace)
	}
	for _, c := range d.Candidates {
		c.Outcome = hide(c.Outcome)
		c.CleartextLogin, c.KeepsClear = hide(c.CleartextLogin), hide(c.KeepsClear)
		if c.Greeting != nil {
			c.Greeting.Line = hide(c.Greeting.Line)
		}
		for _, capa := range []pop3.Capabilities{c.Clear, c.InTLS, c.Inside} {
			for i := range capa {
				capa[i].Tag = hide(capa[i].Tag)
				all(capa[i].Params)
			}
		}
	}
}
