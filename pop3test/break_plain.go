package pop3test

import "strings"

func plainFaults() []Fault {
	return []Fault{
		{
			Name: "plain-lenient-grammar", Doc: "PLAIN takes messages with one NUL or with three, and empty fields.", Rules: []string{"P3-PLAIN-01"},
			Command: onlyPlain(plainLenient).command,
		},
		{
			Name: "plain-third-nul-ignored", Doc: "A third NUL ends the password of PLAIN.", Rules: []string{"P3-PLAIN-01"},
			Command: onlyPlain(func(s *Session, message string) string {
				f := strings.Split(message, "\x00")
				return askPlain(s, strings.Join(f[:min(len(f), 3)], "\x00"))
			}).command,
		},
		{
			Name: "plain-short-fields", Doc: "A field of PLAIN with more than 64 octets ends the connection.", Rules: []string{"P3-PLAIN-02"},
			Command: func(e *Exchange) bool {
				_, text, _ := strings.Cut(e.Args, " ")
				if e.Response {
					text = strings.TrimRight(e.Line, "\r\n")
				}
				if message, _ := unbase64(text); !e.Response && !e.Is("AUTH") || !hasLongField(string(message)) {
					return false
				}
				e.Hangup = true
				return true
			},
		},
		{
			Name: "plain-identity-ignored", Doc: "PLAIN lets everybody act as everybody: the authorization identity is not looked at.", Rules: []string{"P3-PLAIN-03"},
			Command: onlyPlain(func(s *Session, message string) string {
				_, rest, _ := strings.Cut(message, "\x00")
				return askPlain(s, "\x00"+rest)
			}).command,
		},
		{
			Name: "plain-own-identity-refused", Doc: "PLAIN refuses everybody who names an authorization identity, their own as well.", Rules: []string{"P3-PLAIN-03"},
			Command: onlyPlain(func(s *Session, message string) string {
				if !strings.HasPrefix(message, "\x00") {
					return "-ERR [AUTH] no proxy login\r\n"
				}
				return askPlain(s, message)
			}).command,
		},
		{
			Name: "password-prepared-to-nothing", Doc: "A password of which preparation leaves nothing fits every account.", Rules: []string{"P3-PLAIN-04"},
			Command: onlyPlain(func(s *Session, message string) string {
				f := strings.Split(message, "\x00")
				if len(f) == 3 && f[2] != "" && strings.ReplaceAll(f[2], "\u00ad", "") == "" && s.password(f[1]) != "" {
					return s.letIn(f[1])
				}
				return askPlain(s, message)
			}).command,
		},
		{
			Name: "plain-offered-in-clear", Doc: "PLAIN is announced and works in clear, where USER is refused.", Rules: []string{"P3-PLAIN-05"},
			Command: func(e *Exchange) bool {
				switch {
				case e.TLS || e.Is("AUTH"):
					return false
				case e.Is("CAPA"):
					e.Reply = withoutTag(e.Forward(), "USER")
					return true
				}
				return refusesClear(e)
			},
		},
	}
}

// plainLenient makes the best of every message.
func plainLenient(s *Session, message string) string {
	f := strings.Split(message, "\x00")
	switch {
	case len(f) == 2:
		f = append([]string{""}, f...)
	case len(f) < 2:
		f = []string{"", f[0], ""}
	}
	name := f[1]
	if name == "" {
		name = f[0]
	}
	if s.password(name) != "" && f[2] == "" {
		return s.letIn(name) // nothing was compared
	}
	return askPlain(s, "\x00"+name+"\x00"+f[2])
}

func hasLongField(message string) bool {
	for field := range strings.SplitSeq(message, "\x00") {
		if len(field) > 64 {
			return true
		}
	}
	return false
}
