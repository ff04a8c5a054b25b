package pop3test

import "strings"

func authFaults() []Fault {
	return []Fault{
		{
			Name: "initial-response-ignored", Doc: "AUTH with an initial response gets a challenge all the same.", Rules: []string{"P3-AUTH-01"},
			Command: authCommand(func(e *Exchange, mechanism, _ string) bool {
				e.Reply = e.Ask("AUTH " + mechanism)
				return true
			}),
		},
		{
			Name: "mechanism-case-matters", Doc: "The name of a mechanism is known in upper case only.", Rules: []string{"P3-AUTH-02"},
			Command: authCommand(func(e *Exchange, mechanism, _ string) bool {
				if mechanism == strings.ToUpper(mechanism) {
					return false
				}
				e.Reply = "-ERR mechanism not available\r\n"
				return true
			}),
		},
		{
			Name: "any-mechanism-is-plain", Doc: "A mechanism that the server does not have is taken for PLAIN.", Rules: []string{"P3-AUTH-03"},
			Command: authCommand(func(e *Exchange, mechanism, initial string) bool {
				if mechanism == "" || strings.EqualFold(mechanism, "PLAIN") {
					return false
				}
				e.Reply = e.Ask(strings.TrimSpace("AUTH PLAIN " + initial))
				return true
			}),
		},
		{
			Name: "challenge-in-words", Doc: "A challenge is text for people.", Rules: []string{"P3-AUTH-04"},
			Edit: func(e *Exchange) {
				if e.Reply == "+ \r\n" {
					e.Reply = "+ go ahead, please\r\n"
				}
			},
		},
		{
			Name: "empty-challenge-without-space", Doc: "An empty challenge is a plus sign without the space.", Rules: []string{"P3-AUTH-05"},
			Edit: func(e *Exchange) {
				if e.Reply == "+ \r\n" {
					e.Reply = "+\r\n"
				}
			},
		},
		{
			Name: "cancel-is-ok", Doc: "A cancelled exchange ends with +OK.", Rules: []string{"P3-AUTH-07"},
			Edit: func(e *Exchange) {
				if e.Response && strings.TrimRight(e.Line, "\r\n") == "*" {
					e.Reply = "+OK authentication cancelled\r\n"
				}
			},
		},
		{
			Name: "cancel-swallows-a-line", Doc: "After a cancelled exchange the next line is taken for a response.", Rules: []string{"P3-AUTH-07"},
			Command: func(e *Exchange) bool {
				if e.Values["cancelled"] != nil {
					delete(e.Values, "cancelled")
					e.Reply = "-ERR not base64\r\n"
					return true
				}
				if e.Response && strings.TrimRight(e.Line, "\r\n") == "*" {
					e.Values["cancelled"] = true
				}
				return false
			},
		},
		{
			Name: "equals-sign-ignored", Doc: "An initial response of \"=\" is taken for none.", Rules: []string{"P3-AUTH-08"},
			Command: authCommand(func(e *Exchange, mechanism, initial string) bool {
				if initial != "=" {
					return false
				}
				e.Reply = e.Ask("AUTH " + mechanism)
				return true
			}),
		},
		{
			Name: "initial-response-required", Doc: "AUTH PLAIN without an initial response is refused.", Rules: []string{"P3-AUTH-10"},
			Command: authCommand(func(e *Exchange, mechanism, initial string) bool {
				if mechanism == "" || initial != "" {
					return false
				}
				e.Reply = "-ERR initial response missing\r\n"
				return true
			}),
		},
		{
			Name: "long-auth-line-cut", Doc: "An AUTH line of more than 255 octets ends the connection.", Rules: []string{"P3-AUTH-12"},
			Command: func(e *Exchange) bool {
				if !e.Is("AUTH") || len(e.Line) <= 255 {
					return false
				}
				e.Reply, e.Hangup = "-ERR line too long\r\n", true
				return true
			},
		},
		{
			Name: "bad-base64-asks-again", Doc: "What is not base64 gets a new challenge instead of a refusal.", Rules: []string{"P3-AUTH-14"},
			Command: func(e *Exchange) bool {
				line := strings.TrimRight(e.Line, "\r\n")
				if e.Response && line != "*" {
					if _, ok := unbase64(line); !ok {
						e.Reply = "+ \r\n"
						return true
					}
				}
				return badBase64AsksAgain(e)
			},
		},
		{
			Name: "bad-response-asks-again", Doc: "A response that is no base64 gets a new challenge; an initial one is refused.", Rules: []string{"P3-AUTH-14"},
			Command: func(e *Exchange) bool {
				line := strings.TrimRight(e.Line, "\r\n")
				if _, ok := unbase64(line); !e.Response || ok || line == "*" {
					return false
				}
				e.Reply = "+ \r\n"
				return true
			},
		},
		{
			Name: "base64-junk-skipped", Doc: "Octets that do not belong to base64 are skipped.", Rules: []string{"P3-AUTH-15"},
			Command: func(e *Exchange) bool {
				mechanism, initial, found := strings.Cut(e.Args, " ")
				switch {
				case e.Response && strings.TrimRight(e.Line, "\r\n") != "*":
					e.Reply = e.Ask(onlyBase64(e.Line))
					return true
				case e.Is("AUTH") && found && initial != "=" && !e.LoggedIn:
					e.Reply = e.Ask("AUTH " + mechanism + " " + onlyBase64(initial))
					return true
				}
				return false
			},
		},
		{
			Name: "base64-padding-anywhere", Doc: "An equals sign in the middle of base64 is skipped.", Rules: []string{"P3-AUTH-15"},
			Line: func(_ *Session, line string) string {
				text := strings.TrimRight(line, "=\r\n")
				i := strings.LastIndexByte(text, ' ') + 1
				if _, auth := cutKeyword(line, "AUTH"); i > 0 && !auth || !strings.Contains(text[i:], "=") {
					return line
				}
				return text[:i] + onlyBase64(text[i:]) + "\r\n"
			},
		},
		{
			Name: "long-response-falls-apart", Doc: "What is behind the 255th octet of a response is read as the next line.", Rules: []string{"P3-AUTH-17"},
			Command: func(e *Exchange) bool {
				line := strings.TrimRight(e.Line, "\r\n")
				if !e.Response || len(line) <= 255 {
					return false
				}
				e.Reply = e.Ask(line[:255]) + "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "long-response-cut", Doc: "A response of more than 255 octets ends the connection.", Rules: []string{"P3-AUTH-17"},
			Command: func(e *Exchange) bool {
				if !e.Response || len(e.Line) <= 255 {
					return false
				}
				e.Reply, e.Hangup = "-ERR line too long\r\n", true
				return true
			},
		},
		{
			Name: "longer-response-falls-apart", Doc: "What is behind the 4096th octet of a response is read as the next line.", Rules: []string{"P3-AUTH-17"},
			Command: func(e *Exchange) bool {
				line := strings.TrimRight(e.Line, "\r\n")
				if !e.Response || len(line) <= 4096 {
					return false
				}
				e.Reply = e.Ask(line[:4096]) + "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "auth-without-effect", Doc: "AUTH PLAIN says +OK to everybody, and lets nobody in.", Rules: []string{"P3-AUTH-18"},
			Command: onlyPlain(func(*Session, string) string { return "+OK authenticated\r\n" }).command,
		},
		{
			Name: "failed-auth-is-ok", Doc: "A wrong password in AUTH PLAIN is answered +OK.", Rules: []string{"P3-AUTH-18"},
			Command: onlyPlain(func(s *Session, message string) string {
				return strings.Replace(askPlain(s, message), "-ERR [AUTH] ", "+OK ", 1)
			}).command,
		},
		{
			Name: "failed-auth-ends-all", Doc: "After a refused AUTH every other login is refused, too.", Rules: []string{"P3-AUTH-19"},
			Command: failedAuthEndsAll,
		},
		{
			Name: "auth-after-login", Doc: "AUTH works again after the login.", Rules: []string{"P3-AUTH-20"},
			Command: mechanisms{again: true, begin: func(s *Session, _ string) conversation {
				if !s.LoggedIn {
					return nil
				}
				return func(_ *Session, response []byte) string {
					if response == nil {
						return "+ \r\n"
					}
					return "+OK authenticated again\r\n"
				}
			}}.command,
		},
		{
			Name: "plain-fails-in-tls", Doc: "In TLS PLAIN is announced, and refused as unknown.", Rules: []string{"P3-AUTH-23"},
			Command: func(e *Exchange) bool {
				if !e.TLS || !e.Is("AUTH") {
					return false
				}
				e.Reply = "-ERR mechanism not available\r\n"
				return true
			},
		},
		{
			Name: "identity-prepared-to-nothing", Doc: "An authorization identity of which nothing legal is left counts as none.", Rules: []string{"P3-AUTH-27"},
			Command: onlyPlain(func(s *Session, message string) string {
				identity, rest, _ := strings.Cut(message, "\x00")
				if identity != "" && strings.Trim(identity, "\u00ad\x01\x07\x7f") == "" {
					return askPlain(s, "\x00"+rest)
				}
				return askPlain(s, message)
			}).command,
		},
		{
			Name: "sasl-gone-after-login", Doc: "CAPA lists no SASL after the login.", Rules: []string{"P3-AUTH-29"},
			Edit: announcing(func(s *Session, reply string) string {
				if !s.LoggedIn {
					return reply
				}
				return withoutTag(reply, "SASL")
			}),
		},
		{
			Name: "command-inside-exchange", Doc: "QUIT and CAPA are obeyed in the middle of a SASL exchange.", Rules: []string{"P3-AUTH-31"},
			Command: func(e *Exchange) bool {
				line := strings.ToUpper(strings.TrimRight(e.Line, "\r\n"))
				if !e.Response || line != "QUIT" && line != "CAPA" {
					return false
				}
				e.Ask("*")
				e.Reply, e.Hangup = e.Ask(line), line == "QUIT"
				return true
			},
		},
		{
			Name: "capa-inside-exchange", Doc: "CAPA is answered in the middle of a SASL exchange, which goes on.", Rules: []string{"P3-AUTH-31"},
			Command: func(e *Exchange) bool {
				if !e.Response || !strings.EqualFold(strings.TrimRight(e.Line, "\r\n"), "CAPA") {
					return false
				}
				e.Reply = "+OK\r\nSASL PLAIN\r\n.\r\n"
				return true
			},
		},
		{
			Name: "bare-auth-without-list", Doc: "AUTH alone is answered +OK, and no list follows.", Rules: []string{"P3-AUTH-32"},
			Command: func(e *Exchange) bool {
				if !e.Is("AUTH") || strings.TrimSpace(e.Args) != "" {
					return false
				}
				e.Reply = "+OK\r\n"
				return true
			},
		},
		{
			Name: "login-mechanism-in-clear", Doc: "The LOGIN mechanism is offered without TLS.", Rules: []string{"P3-AUTH-33"},
			Command: loginMechanism().command,
		},
		{
			Name: "exchange-without-limit", Doc: "A response of any length is swallowed, and another one asked for.", Rules: []string{"P3-AUTH-34"},
			Command: func(e *Exchange) bool {
				if !e.Response || len(e.Line) < 32<<10 {
					return false
				}
				e.Reply = "+ \r\n"
				return true
			},
		},
	}
}

// authCommand is a hook for AUTH before the login. initial is "" without an
// initial response.
func authCommand(handle func(e *Exchange, mechanism, initial string) bool) func(*Exchange) bool {
	return func(e *Exchange) bool {
		if !e.Is("AUTH") || e.LoggedIn {
			return false
		}
		mechanism, initial, _ := strings.Cut(e.Args, " ")
		return handle(e, mechanism, initial)
	}
}

// badBase64AsksAgain begins an exchange where the initial response is no
// base64.
func badBase64AsksAgain(e *Exchange) bool {
	mechanism, initial, found := strings.Cut(e.Args, " ")
	if !e.Is("AUTH") || e.LoggedIn || !found || initial == "=" {
		return false
	}
	if _, ok := unbase64(initial); ok {
		return false
	}
	e.Reply = e.Ask("AUTH " + mechanism)
	return true
}

// onlyBase64 takes out what is not of the alphabet, and pads again.
func onlyBase64(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	s = strings.Map(func(r rune) rune {
		if !strings.ContainsRune(alphabet, r) {
			return -1
		}
		return r
	}, s)
	switch len(s) % 4 {
	case 1:
		return s[:len(s)-1]
	case 2:
		return s + "=="
	case 3:
		return s + "="
	}
	return s
}

// failedAuthEndsAll refuses all logins after a refused AUTH.
func failedAuthEndsAll(e *Exchange) bool {
	const failed = "failed"
	switch {
	case e.LoggedIn:
	case e.Is("AUTH") && e.Values[failed] == nil, e.Response:
		e.Reply = e.Forward()
		if strings.HasPrefix(e.Reply, "-ERR") {
			e.Values[failed] = true
		}
		return true
	case e.Values[failed] != nil && (e.Is("AUTH") || e.Is("USER") || e.Is("PASS") || e.Is("APOP")):
		e.Reply = "-ERR authentication has failed, connect again\r\n"
		return true
	}
	return false
}

// loginMechanism plays LOGIN, which no RFC has.
func loginMechanism() mechanisms {
	return mechanisms{
		announced: func(*Session) string { return "PLAIN LOGIN" },
		begin: func(_ *Session, mechanism string) conversation {
			if mechanism != "LOGIN" {
				return nil
			}
			var name []byte
			return func(s *Session, response []byte) string {
				switch {
				case response == nil:
					return "+ VXNlcm5hbWU6\r\n"
				case name == nil:
					name = response
					return "+ UGFzc3dvcmQ6\r\n"
				}
				s.Ask("USER " + string(name))
				return s.Ask("PASS " + string(response))
			}
		},
	}
}
