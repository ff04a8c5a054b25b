package pop3test

import "strings"

func userFaults() []Fault {
	return []Fault{
		{
			Name: "user-without-name", Doc: "USER is taken without a name.", Rules: []string{"P3-USR-01"},
			Command: func(e *Exchange) bool {
				if !e.Is("USER") || strings.TrimSpace(e.Args) != "" {
					return false
				}
				e.Reply = "+OK send PASS\r\n"
				return true
			},
		},
		{
			Name: "user-tells-names", Doc: "USER is refused for names that nobody has.", Rules: []string{"P3-USR-10"},
			Command: func(e *Exchange) bool {
				if !e.Is("USER") || e.Args == "" || e.password(e.Args) != "" {
					return false
				}
				e.Reply = "-ERR sorry, no such user here\r\n"
				return true
			},
		},
		{
			Name: "clear-refusal-tells-names", Doc: "In clear, USER is refused for names that exist and taken for others.", Rules: []string{"P3-USR-09"},
			Command: func(e *Exchange) bool {
				if e.Is("USER") && !e.TLS && e.password(e.Args) == "" {
					e.Reply = "+OK send PASS\r\n"
					return true
				}
				return refusesClear(e)
			},
		},
		{
			Name: "pass-before-user", Doc: "PASS is taken without a USER before it, and any command may stand between them.", Rules: []string{"P3-USR-04"},
			Command: passBeforeUser,
		},
		{
			Name: "password-trimmed", Doc: "Spaces around the password are taken away.", Rules: []string{"P3-USR-05"},
			Line: func(_ *Session, line string) string {
				args, found := cutKeyword(line, "PASS")
				if !found {
					return line
				}
				return "PASS " + strings.Trim(args, " \r\n") + "\r\n"
			},
		},
		{
			Name: "user-outlives-failed-pass", Doc: "After a refused PASS the next one is taken without a new USER.", Rules: []string{"P3-USR-06"},
			Command: func(e *Exchange) bool {
				if !e.Is("PASS") || e.LoggedIn || e.Name == "" {
					return false
				}
				if e.Values["refused"] != nil {
					e.Ask("USER " + e.Name)
				}
				e.Reply = e.Forward()
				e.Values["refused"] = true
				return true
			},
		},
		{
			Name: "user-announced-and-refused", Doc: "CAPA lists USER in clear, where USER is refused.", Rules: []string{"P3-USR-07"},
			Command: func(e *Exchange) bool {
				if e.Is("CAPA") {
					return false
				}
				return refusesClear(e)
			},
		},
		{
			Name:  "plain-gets-around-refusal",
			Doc:   "USER and PASS are refused in clear, and AUTH PLAIN, which is not announced there, lets in.",
			Rules: []string{"P3-USR-08", "P3-AUTH-24", "P3-TLS-11"},
			Command: func(e *Exchange) bool {
				if e.Is("AUTH") {
					return false
				}
				return refusesClear(e)
			},
		},
		{
			Name: "clear-refusal-tells-passwords", Doc: "In clear the right password is refused in other words than a wrong one.", Rules: []string{"P3-USR-09"},
			Command: clearTellsPasswords,
		},
		{
			Name: "failed-login-tells-names", Doc: "A refused password gets one text where the name exists and another where it does not.", Rules: []string{"P3-USR-10"},
			Edit: func(e *Exchange) {
				switch {
				case !e.Is("PASS") || !strings.HasPrefix(e.Reply, "-ERR [AUTH]"):
				case e.password(e.Name) == "":
					e.Reply = "-ERR [AUTH] no such user\r\n"
				default:
					e.Reply = "-ERR [AUTH] wrong password\r\n"
				}
			},
		},
		{
			Name: "failed-plain-tells-names", Doc: "A refused AUTH PLAIN says whether the name exists.", Rules: []string{"P3-USR-10"},
			Command: onlyPlain(func(s *Session, message string) string {
				f := strings.Split(message, "\x00")
				if len(f) == 3 && s.password(f[1]) == "" {
					return "-ERR [AUTH] no such user\r\n"
				}
				return askPlain(s, message)
			}).command,
		},
		{
			Name: "second-user-refused", Doc: "USER after a USER that was taken is refused, and the first name stays.", Rules: []string{"P3-USR-11"},
			Command: func(e *Exchange) bool {
				if !e.Is("USER") && !e.Is("CAPA") {
					delete(e.Values, "named")
				}
				if !e.Is("USER") {
					return false
				}
				if e.Values["named"] != nil {
					e.Reply = "-ERR Must give PASS command\r\n"
					return true
				}
				e.Reply = e.Forward()
				if strings.HasPrefix(e.Reply, "+OK") {
					e.Values["named"] = true
				}
				return true
			},
		},
		{
			Name: "password-in-error-text", Doc: "The refusal of a PASS repeats the password.", Rules: []string{"P3-USR-12"},
			Edit: func(e *Exchange) {
				if e.Is("PASS") && strings.HasPrefix(e.Reply, "-ERR [AUTH]") {
					e.Reply = "-ERR [AUTH] login failed with password '" + e.Args + "'\r\n"
				}
			},
		},
	}
}

// cutKeyword returns what follows a line's keyword and its space.
func cutKeyword(line, keyword string) (args string, found bool) {
	word, args, found := strings.Cut(line, " ")
	return args, found && strings.EqualFold(word, keyword)
}

// passBeforeUser takes name and password in any order, whatever comes between.
func passBeforeUser(e *Exchange) bool {
	const early = "password"
	password, waiting := e.Values[early].(string)
	switch {
	case e.Is("USER") && waiting:
		delete(e.Values, early)
		e.Ask("USER " + e.Args)
		e.Reply = e.Ask("PASS " + password)
		return true
	case e.LoggedIn:
	case e.Is("PASS") && e.Name == "":
		e.Values[early] = e.Args
		e.Reply = "+OK and the name?\r\n"
		return true
	case e.Is("PASS"):
		e.Ask("USER " + e.Name)
		e.Reply = e.Forward()
		return true
	}
	return false
}

// clearTellsPasswords takes no login in clear, but says whether it would.
func clearTellsPasswords(e *Exchange) bool {
	if e.TLS {
		return false
	}
	right := false
	switch {
	case e.Is("USER") && e.Args != "":
		e.Reply = "+OK send PASS\r\n"
		return true
	case e.Is("PASS"):
		right = e.Args != "" && e.password(e.Name) == e.Args
	case e.Is("AUTH"):
		_, initial, _ := strings.Cut(e.Args, " ")
		message, _ := unbase64(initial)
		fields := strings.Split(string(message), "\x00")
		right = len(fields) == 3 && fields[2] != "" && e.password(fields[1]) == fields[2]
	default:
		return refusesClear(e)
	}
	if right {
		e.Reply = "-ERR TLS required for this account, use STLS\r\n"
		return true
	}
	e.Reply = "-ERR [AUTH] login failed\r\n"
	return true
}
