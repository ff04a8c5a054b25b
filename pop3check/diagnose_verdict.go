package pop3check

import (
	"fmt"
	"slices"
	"strings"
)

// judge says it in one line, and what to do.
func (x *course) judge(interrupted bool) {
	d := x.d
	for _, c := range d.Candidates {
		if c == d.Used || d.Used == nil || x.where.domain == "" && c.Works {
			d.Findings = append(d.Findings, c.findings...)
		}
	}
	switch {
	case interrupted:
		x.d.Used = nil
		x.blame("not known: ", "interrupted", nil)
	case d.Used == nil:
		x.nothing()
	case d.LoginAsked && !d.LoggedIn:
		x.noLogin()
	default:
		x.works()
	}
	d.Verdict = printable(d.Verdict)
	for i := range d.Advice {
		d.Advice[i] = printable(d.Advice[i])
	}
}

// blame sets what a cause says.
func (x *course) blame(verdict, id string, c *Candidate) {
	why := causes()[id]
	x.d.Cause = id
	x.d.Verdict = verdict + x.fill(why.says, c)
	x.d.Whose = why.whose
	x.advise(x.fill(why.do, c))
	if c != nil {
		x.d.Exchange = c.trace
	}
}

func (x *course) advise(text string) {
	if text != "" && !slices.Contains(x.d.Advice, text) {
		x.d.Advice = append(x.d.Advice, text)
	}
}

// nothing: no candidate answered as a POP3 server does.
func (x *course) nothing() {
	var best *Candidate // that got furthest; the first of them
	for _, c := range x.d.Candidates {
		// To have tried the wrong kind of TLS says little when the right kind
		// has another trouble.
		moot := best != nil && best.cause == "plain-on-tls" && c.progress == best.progress
		if c.cause != "" && (best == nil || c.progress > best.progress || moot) {
			best = c
		}
	}
	switch {
	case best == nil:
		x.blame("does not work: ", "not-found", nil)
	case x.where.domain != "" && best.progress <= reachedName && (best.Source == "common name" || best.cause == "name-unknown"):
		x.blame("does not work: ", "not-found", nil)
		x.d.Exchange = best.trace
	default:
		x.blame("does not work: ", best.cause, best)
		x.named(best)
		x.bothPorts(best)
	}
	x.advise(providerSays(x.where.domain))
}

// bothPorts names both usual ports where the same is wrong with both.
func (x *course) bothPorts(best *Candidate) {
	all := x.d.Candidates
	if len(all) == 2 && x.where.domain == "" && all[0].cause == all[1].cause && all[0].Port != all[1].Port {
		one, both := fmt.Sprintf("port %d", best.Port), fmt.Sprintf("ports %d and %d", all[0].Port, all[1].Port)
		x.d.Verdict = strings.Replace(x.d.Verdict, one, both, 1)
		for i := range x.d.Advice {
			x.d.Advice[i] = strings.Replace(x.d.Advice[i], one, both, 1)
		}
	}
}

// named adds what the certificate is for, or its pin, to the advice.
func (x *course) named(c *Candidate) {
	if c.TLS == nil {
		return
	}
	for i, cause := range c.TLS.causes {
		switch cause {
		case "certificate-name":
			x.advise("The certificate: " + c.TLS.Problems[i] + ".")
		case "certificate-issuer":
			x.advise("Its SHA-256, for --pin: " + c.TLS.Pin)
		}
	}
}

// noLogin: the server answers, and the account was not let in, or not tried.
func (x *course) noLogin() {
	used := x.d.Used
	if used.cause == "login-certificate" && used.TLS != nil && len(used.TLS.causes) > 0 {
		x.blame("no login: ", used.TLS.causes[0], used)
		x.named(used)
		x.advise("The password was not sent.")
		x.showCertificate()
		return
	}
	x.blame("no login: ", used.cause, used)
	switch used.cause {
	case "password", "app-password", "oauth-only", "pop-off", "web-login":
		x.advise(providerSays(used.Host, x.where.domain))
	case "login-unvouched", "login-cleartext":
		x.advise("The password was not sent.")
		x.d.Exchange = nil
	}
}

// showCertificate makes the finding about the certificate the exchange.
func (x *course) showCertificate() {
	x.d.Exchange = nil
	for _, r := range x.d.Findings {
		if r.Status == Fail && strings.HasPrefix(r.ID, "certificate-") {
			x.d.Exchange = append(x.d.Exchange, r.Trace...)
		}
	}
}

// works: all that was asked for could be done.
func (x *course) works() {
	d, used := x.d, x.d.Used
	var bad []Result
	for _, r := range d.Findings {
		if d.Counts(r) {
			bad = append(bad, r)
		}
	}
	what := fmt.Sprintf("%s answers (%s)", used.Addr(), describeSecurity(used))
	if d.LoggedIn {
		what = fmt.Sprintf("%s at %s (%s)", d.User, used.Addr(), describeSecurity(used))
		if m := d.Maildrop; m != nil {
			what += fmt.Sprintf(", %s, %d octets", plural(m.Count, "message"), m.Octets)
		}
	}
	switch {
	case used.cause == "session":
		x.blame("does not work: ", "session", used)
	case used.TLS != nil && !used.TLS.Trusted:
		x.blame("does not work: ", used.TLS.causes[0], used)
		x.named(used)
		x.showCertificate()
	case len(bad) > 0:
		d.Verdict = fmt.Sprintf("works, with %s: %s", plural(len(bad), "finding"), what)
		d.Cause, d.Whose = "findings", Server
		for _, r := range bad {
			x.advise(x.remedy(r))
		}
		d.Exchange = bad[0].Trace
	default:
		d.OK = true
		d.Verdict = "works: " + what
		if !d.LoginAsked {
			d.Verdict += ", nobody logged in"
		}
	}
}

// remedy says what a finding of a connection that works means.
func (x *course) remedy(r Result) string {
	switch r.ID {
	case "certificate-time":
		return "The certificate must be renewed: " + r.Got + "."
	case "P3-TLS-06":
		return "Somebody on the way can put commands into sessions with STLS. Use TLS from the first octet (--tls), and tell the provider."
	case "P3-MSG-05", "P3-STAT-05":
		return "Sizes are not what they should be: programs that believe them may stop too early. Tell the provider: " + r.Got + "."
	case "P3-UIDL-04", "P3-UIDL-03", "P3-UIDL-01", "P3-UIDL-08":
		return "Programs that leave mail on the server may skip messages, or fetch them again: " + r.Got + "."
	case "P3-TOP-03", "P3-TOP-07":
		return "Programs that look at headers only may get wrong ones: " + r.Got + "."
	case "P3-PIPE-01":
		return "Switch pipelining off in the mail program: the server announces it, and mixes replies up."
	case "certificate-name", "certificate-issuer":
		return "On one of the two ports the certificate is bad: " + r.Got + "."
	}
	return fmt.Sprintf("Tell the provider (%s): want %s; got %s.", r.ID, r.Want, r.Got)
}

func describeSecurity(c *Candidate) string {
	switch {
	case c.TLS == nil:
		return "no TLS"
	case c.How() == "STLS":
		return c.TLS.Version + " by STLS"
	}
	return c.TLS.Version
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
