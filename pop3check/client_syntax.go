package pop3check

import "strings"

func clientSyntax() []clientRow {
	return []clientRow{
		{"P3-SYN-01", nil, clientLineEnds},
		{"P3-SYN-03", nil, clientSpaces},
		{"P3-SYN-04", nil, clientKeywords},
		{"P3-SYN-05", nil, clientArguments},
		{"P3-SYN-12", []string{"bare-replies"}, completes("a session with replies that are only a status indicator")},
		{"P3-SYN-17", []string{"uidl-temporary"}, clientInfersNothing},
		{"P3-SYN-18", []string{"retr-text"}, clientFreeText},
		{"P3-SYN-26", []string{"crlf-in-user"}, clientInjects},
		{"P3-SYN-28", []string{"lower-case", "no-status"}, clientStatus},
		{"P3-CAPA-03", []string{"capa-odd"}, completesAfter("CAPA", "a session in which tags are in lower case, and some unknown")},
		{"P3-CAPA-04", []string{"no-capa"}, completesAfter("CAPA", "a session without CAPA")},
		{"P3-CAPA-05", []string{"minimal"}, completes("a session with the commands that RFC 1939 demands, and no others")},
	}
}

// completes is a rule that holds if the client gets everything.
func completes(want string) func(*verdict) {
	return func(v *verdict) { v.complete(want) }
}

// completesAfter is completes, for clients that use a command at all.
func completesAfter(keyword, want string) func(*verdict) {
	return func(v *verdict) {
		if _, x := v.said(keyword); x != nil {
			v.complete(want)
		}
	}
}

func clientLineEnds(v *verdict) {
	v.each(func(t *talk, x *turn) {
		text, whole := strings.CutSuffix(x.line, "\r\n")
		v.holds(whole && !strings.ContainsAny(text, "\r\n"), t, "every line to end with CR LF, and to have no other CR or LF", "%s", x.show())
	})
}

func clientSpaces(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if x.response {
			return
		}
		text := strings.TrimRight(x.line, "\r\n")
		if x.is("PASS") { // a password may have spaces
			text = strings.TrimSuffix(text, v.run.Password)
			v.holds(len(text) == len("PASS "), t, "exactly one SP between keyword and password", "%s", x.show())
			return
		}
		odd := strings.ContainsAny(text, "\t") || strings.Contains(text, "  ") || strings.HasSuffix(text, " ") || strings.HasPrefix(text, " ")
		v.holds(!odd, t, "exactly one SP between keyword and arguments, and none at the end", "%s", x.show())
	})
}

func clientKeywords(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if !x.response {
			v.holds((len(x.keyword) == 3 || len(x.keyword) == 4) && allVisible(x.keyword), t, "keywords of three or four printable characters", "%s", x.show())
		}
	})
}

func allVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func clientArguments(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if x.response || x.args == "" {
			return
		}
		text := x.args
		if x.is("USER", "PASS", "APOP") { // P3-UTF-08
			text = strings.Map(func(r rune) rune {
				if r >= 0x80 {
					return 'x'
				}
				return r
			}, text)
		}
		v.holds(allVisible(strings.ReplaceAll(text, " ", "")), t, "arguments of printable ASCII", "%s", x.show())
	})
}

// After -ERR to a UIDL that CAPA announces, a client that goes over to what
// servers without UIDL need has taken the error for absence.
func clientInfersNothing(v *verdict) {
	var refused *turn
	v.each(func(t *talk, x *turn) {
		switch {
		case x.is("UIDL") && x.complete && !x.ok() && refused == nil:
			lines, _ := t.announced(x)
			if hasTag(lines, "UIDL") {
				refused = x
			}
		case refused == nil:
		case x.is("LAST") || x.is("TOP") && strings.HasSuffix(x.args, " 0"):
			v.fail(t, "an announced UIDL that fails once not to be taken for one that does not exist", "after -ERR to UIDL: %s", x.show())
		case x.is("QUIT", "UIDL"):
			v.pass(t, "after -ERR to UIDL: %s", x.show())
		}
	})
}

func clientFreeText(v *verdict) {
	if _, x := v.said("RETR"); x != nil {
		v.complete("the text behind RETR's +OK not to be taken for a size")
	}
}

// injectedCommand is in the user name of the scenario behind a line end.
const injectedCommand = "NOOP 4711"

func clientInjects(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if strings.HasPrefix(x.line, injectedCommand) {
			v.fail(t, "a user name with a line end to be refused before it is sent", "the part behind the line end was sent as a command")
		}
	})
	switch {
	case v.run.Exit != nil && *v.run.Exit != 0, len(v.talks) > 0:
		v.pass(v.last(), "the part of the user name behind the line end was not sent as a command")
	}
}

func clientStatus(v *verdict) {
	if v.run.Scenario == "lower-case" {
		v.complete("status indicators in any case, and line ends without CR, to be understood")
		return
	}
	// PASS, or the end of an AUTH, was answered with a line that is no reply.
	var odd *turn
	v.each(func(t *talk, x *turn) {
		switch {
		case x.complete && strings.HasPrefix(x.reply, "OK "):
			odd = x
		case odd != nil && !x.is("QUIT"):
			v.fail(t, "a line that begins with neither +OK nor -ERR to end the session", "after %q the client said %s", odd.reply, x.show())
		}
	})
	if odd != nil {
		v.holds(!v.contented(), v.last(), "a line that begins with neither +OK nor -ERR to be an error", "the session ended")
	}
}
