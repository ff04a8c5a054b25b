package pop3check

import "strings"

func clientLogin() []clientRow {
	return []clientRow{
		{"P3-LCK-10", []string{"in-use"}, func(v *verdict) {
			v.noSecondLogin("no other login at once when the maildrop is in use")
		}},
		{"P3-RSP-09", []string{"in-use", "sys-temp", "login-delay", "wrong-password"}, func(v *verdict) {
			v.noSecondLogin("no other login at once after a response code that says why")
		}},
		{"P3-USR-08", nil, clientProtectsPassword},
		{"P3-USR-12", nil, clientHidesPassword},
		{"P3-UTF-08", nil, clientASCIICredentials},
		{"P3-OAUTH-10", []string{"oauthbearer", "oauthbearer-refused", "xoauth2"}, clientHidesPassword},
	}
}

// clientProtectsPassword: a client that was told to use TLS does not log in
// without it.
func clientProtectsPassword(v *verdict) {
	if v.run.Security != "stls" && v.run.Security != "tls" {
		return
	}
	v.each(func(t *talk, x *turn) {
		if x.credentials() {
			v.holds(x.tls, t, "no login without TLS, since the client was told to use it", "%s in clear", x.show())
		}
	})
}

func clientHidesPassword(v *verdict) {
	if v.run.Output == "" || v.run.Password == "" || len(v.talks) == 0 {
		return
	}
	v.holds(!strings.Contains(v.run.Output, v.run.Password), v.last(), "what the client prints not to hold the password", "looked through %d octets of its output", len(v.run.Output))
}

func clientASCIICredentials(v *verdict) {
	ascii := func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) }
	if ascii(v.run.User + v.run.Password) {
		return
	}
	v.each(func(t *talk, x *turn) {
		lines, _ := t.announced(x)
		if x.is("USER", "PASS", "APOP") && !hasTag(lines, "UTF8", "USER") {
			v.holds(ascii(x.args), t, "no name or password beyond ASCII in USER, PASS and APOP unless CAPA says UTF8 USER", "%s with other octets than ASCII", x.keyword)
		}
	})
	if len(v.talks) > 0 {
		v.pass(v.last(), "nothing beyond ASCII was sent in USER, PASS and APOP")
	}
}
