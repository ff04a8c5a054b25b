package pop3check

import (
	"slices"
	"strings"
)

func clientTLS() []clientRow {
	refuses := func(what string) func(*verdict) {
		return func(v *verdict) { clientRefusesServer(v, what) }
	}
	certificates := []string{"wrong-name", "expired", "unknown-root", "wrong-name-stls"}
	return []clientRow{
		{"P3-AUTH-25", certificates, refuses("a certificate that does not prove the server's name")},
		{"P3-CAPA-08", nil, clientAsksAgain},
		{"P3-TLS-01", []string{"good-tls"}, func(v *verdict) {
			if t := v.last(); t != nil && t.rec.ImplicitTLS {
				v.complete("a session with TLS from the first octet")
			}
		}},
		{"P3-TLS-02", []string{"old-tls"}, refuses("TLS below 1.2")},
		{"P3-TLS-05", nil, clientSilentInSTLS},
		{"P3-TLS-07", []string{"stls-injected"}, clientRefusesInjected},
		{"P3-TLS-08", nil, clientForgetsCapabilities},
		{"P3-TLS-10", []string{"stls-broken", "old-tls", "wrong-name-stls"}, clientNoFallback},
		{"P3-TLS-11", []string{"stls-stripped", "stls-refused"}, clientNoFallback},
		{"P3-TLS-13", []string{"wrong-name", "wrong-name-stls"}, refuses("a certificate for another name")},
		{"P3-TLS-16", nil, clientSaysName},
		{"P3-TLS-17", []string{"quit-open"}, clientClosesTLS},
		{"P3-TLS-19", []string{"unknown-root", "expired"}, refuses("a certificate that is not valid")},
		{"P3-TLS-22", nil, clientSTLSBeforeUTF8},
		{"P3-TLS-23", nil, clientALPN},
		{"P3-LANG-06", nil, clientLangAfterTLS},
	}
}

// clientRefusesServer: TLS with this server proves nothing.
func clientRefusesServer(v *verdict, what string) {
	tried := false
	for _, t := range v.talks {
		for _, e := range t.rec.Events {
			tried = tried || e.Kind == TLSBegun || e.Kind == TLSFailed
		}
	}
	if !tried {
		return // it never came so far
	}
	v.noCredentials("no login after "+what, func(*talk, *turn) bool { return true })
	v.holds(!v.contented(), v.last(), "an error because of "+what, "the connection ended")
}

// clientNoFallback: STLS was wanted, and did not work.
func clientNoFallback(v *verdict) {
	if v.run.Security != "stls" {
		return
	}
	v.noCredentials("no login in clear when STLS does not work", func(_ *talk, x *turn) bool { return !x.tls })
	secured := slices.ContainsFunc(v.talks, func(t *talk) bool { return t.tlsAt >= 0 }) // another rule's matter
	if v.status == Pass && !secured {
		v.holds(!v.contented(), v.last(), "an error when STLS does not work", "the connection ended")
	}
}

func clientRefusesInjected(v *verdict) {
	_, x := v.said("STLS")
	if x == nil {
		return
	}
	v.noCredentials("octets in clear behind the reply to STLS to end the connection", func(*talk, *turn) bool { return true })
}

// clientSilentInSTLS: what follows STLS is the handshake.
func clientSilentInSTLS(v *verdict) {
	const want = "nothing between STLS and the end of the handshake"
	v.each(func(t *talk, x *turn) {
		for _, open := range x.early {
			if open.is("STLS") {
				v.fail(t, want, "%s", x.show())
			}
		}
		if x.is("STLS") && x.ok() {
			v.holds(!t.spokeInHandshake(), t, want, "what came behind STLS")
		}
	})
}

// spokeInHandshake reports whether the client said something that is no TLS
// where a handshake was to begin.
func (t *talk) spokeInHandshake() bool {
	return slices.ContainsFunc(t.rec.Events, func(e Event) bool {
		return e.Kind == TLSFailed && e.Hello == nil && strings.Contains(e.Err, "does not look like a TLS handshake")
	})
}

// clientAsksAgain: CAPA before STLS says nothing of what comes after. A client
// that uses nothing that CAPA speaks of need not ask.
func clientAsksAgain(v *verdict) {
	for _, t := range v.talks {
		before, after := false, false
		for _, x := range t.turns {
			switch {
			case x.is("CAPA"):
				before, after = before || x.ok() && !x.tls, after || x.tls
			case before && x.tls && (x.is("AUTH", "TOP", "UIDL", "UTF8", "LANG") || len(x.early) > 0):
				v.holds(after, t, "CAPA again after STLS, before anything that it speaks of is used", "%s", x.show())
			}
		}
	}
}

// clientForgetsCapabilities: a mechanism that was announced before TLS only
// is not used.
func clientForgetsCapabilities(v *verdict) {
	for _, t := range v.talks {
		var clear []string
		for _, x := range t.turns {
			lines, known := t.announced(x)
			switch {
			case !x.tls && known:
				clear = lines
			case x.tls && x.is("AUTH") && x.args != "" && clear != nil:
				mechanism, _, _ := strings.Cut(strings.ToUpper(x.args), " ")
				v.holds(!hasTag(clear, "SASL", mechanism) || hasTag(lines, "SASL", mechanism), t,
					"mechanisms of the CAPA after TLS", "%s, which only the CAPA before TLS announced", mechanism)
			case x.tls && x.is("APOP", "USER") && clear != nil:
				v.pass(t, "%s", x.show())
			}
		}
	}
}

func clientSaysName(v *verdict) {
	for _, t := range v.talks {
		for _, e := range t.rec.Events {
			if e.Hello != nil {
				v.holds(e.Hello.ServerName != "", t, "the server's name in the TLS handshake (SNI)", "SNI %q", e.Hello.ServerName)
			}
		}
	}
}

func clientALPN(v *verdict) {
	for _, t := range v.talks {
		for _, e := range t.rec.Events {
			if e.Hello != nil {
				v.holds(slices.Contains(e.Hello.Protocols, "pop3"), t, `"pop3" offered in the TLS handshake (ALPN)`, "ALPN %q", e.Hello.Protocols)
			}
		}
	}
}

// clientClosesTLS: QUIT was answered, and the server left the closing to the
// client.
func clientClosesTLS(v *verdict) {
	for _, t := range v.talks {
		for _, e := range t.rec.Events {
			if e.Kind == ClientClosed && t.tlsAt >= 0 {
				v.holds(e.Err == "", t, "close_notify before the connection is closed", "the end of the connection, with close_notify: %t", e.Err == "")
			}
		}
	}
}

func clientSTLSBeforeUTF8(v *verdict) {
	for _, t := range v.talks {
		asked := false
		for _, x := range t.turns {
			switch {
			case x.is("UTF8"):
				asked = true
				v.pass(t, "no STLS after UTF8")
			case x.is("STLS") && asked:
				v.fail(t, "no STLS after UTF8", "UTF8, then STLS")
			}
		}
	}
}

func clientLangAfterTLS(v *verdict) {
	if v.run.Security == "stls" || v.run.Security == "tls" {
		v.each(func(t *talk, x *turn) {
			if x.is("LANG") {
				v.holds(x.tls, t, "TLS before LANG", "%s", x.show())
			}
		})
	}
}
