package pop3check

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strings"
)

func clientGreeting() []clientRow {
	return []clientRow{
		{"P3-GRT-08", nil, clientDigestInput},
		{"P3-GRT-09", []string{"apop-odd"}, clientRefusesTimestamp},
		{"P3-GRT-10", []string{"banner"}, clientIgnoresBanner},
		{"P3-GRT-13", []string{"greeting-err"}, clientTurnedAway},
		{"P3-GRT-15", []string{"good", "good-stls", "good-tls"}, clientWaitsForGreeting},
		{"P3-APOP-01", nil, clientDigest},
		{"P3-APOP-09", []string{"apop-stls"}, clientDistrustsGreeting},
	}
}

// timestamp returns the greeting's timestamp with its angle brackets.
func (t *talk) timestamp() string {
	from := strings.IndexByte(t.greeting, '<')
	to := strings.LastIndexByte(t.greeting, '>')
	if from < 0 || to < from {
		return ""
	}
	return t.greeting[from : to+1]
}

func digestAPOP(challenge, secret string) string {
	sum := md5.Sum([]byte(challenge + secret))
	return hex.EncodeToString(sum[:])
}

// digestOf returns what stands behind APOP and the name.
func digestOf(x *turn) string { return x.args[strings.LastIndexByte(x.args, ' ')+1:] }

func clientDigestInput(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if !x.is("APOP") {
			return
		}
		stamp := t.timestamp()
		inside := strings.Trim(stamp, "<>")
		right := strings.EqualFold(digestOf(x), digestAPOP(stamp, v.run.Password))
		got := "the digest is not that of the timestamp and the secret"
		switch {
		case right:
			got = "the digest is that of the whole timestamp"
		case strings.EqualFold(digestOf(x), digestAPOP(inside, v.run.Password)):
			got = "the digest is that of the timestamp without its angle brackets"
		}
		v.holds(right, t, "the whole timestamp, octet for octet, to be digested", "%s", got)
	})
}

func clientDigest(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if x.is("APOP") {
			v.holds(x.args == v.run.User+" "+digestAPOP(t.timestamp(), v.run.Password), t,
				"APOP, name, and the digest as 32 lower-case hexadecimal digits", "%d octets behind APOP", len(x.args))
		}
	})
}

func clientRefusesTimestamp(v *verdict) {
	if t, x := v.said("APOP"); x != nil {
		v.fail(t, "no APOP with a timestamp that is no msg-id", "APOP with the timestamp %q", t.timestamp())
	}
	if len(v.talks) > 0 {
		v.pass(v.last(), "no APOP was sent")
	}
}

// A client that was not told to use APOP takes another way after STLS.
func clientDistrustsGreeting(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if x.tls && x.credentials() {
			v.holds(!x.is("APOP"), t, "no APOP with a timestamp that came before TLS", "%s", x.show())
		}
	})
}

// clientIgnoresBanner compares with the run in which the server is named
// otherwise.
func clientIgnoresBanner(v *verdict) {
	i := slices.IndexFunc(v.runs, func(r ClientRun) bool { return r.Scenario == "good" && r.Security == v.run.Security })
	if i < 0 {
		return
	}
	here, there := v.script(v.talks), v.script(talksOf(v.runs[i].Recordings))
	if len(here) == 0 || len(there) == 0 {
		return
	}
	for n := range max(len(here), len(there)) {
		a, b := "nothing", "nothing"
		if n < len(here) {
			a = here[n]
		}
		if n < len(there) {
			b = there[n]
		}
		if a != b {
			v.fail(v.last(), "the same commands whatever greeting and IMPLEMENTATION say", "%s instead of %s", a, b)
			return
		}
	}
	v.pass(v.last(), "the same commands as with another greeting and IMPLEMENTATION")
}

// script is what was said, without what changes each time.
func (v *verdict) script(talks []*talk) []string {
	var all []string
	for _, t := range talks {
		for _, x := range t.turns {
			all = append(all, x.show())
		}
	}
	return all
}

func clientTurnedAway(v *verdict) {
	v.each(func(t *talk, x *turn) {
		v.holds(x.is("QUIT"), t, "no command after a greeting with -ERR", "%s", x.show())
	})
	if len(v.talks) > 0 {
		v.holds(!v.contented(), v.last(), "an exit status that says so", "the connection ended")
	}
}

func clientWaitsForGreeting(v *verdict) {
	for _, t := range v.talks {
		if t.greeted < 0 || len(t.turns) == 0 {
			continue
		}
		v.holds(t.turns[0].at > t.greeted, t, "nothing to be sent before the greeting", "%s", t.turns[0].show())
	}
}
