package pop3test

import (
	"fmt"
	"strings"
)

func capaFaults() []Fault {
	return []Fault{
		{
			Name: "capa-only-before-login", Doc: "CAPA is refused after the login.", Rules: []string{"P3-CAPA-01"},
			Command: func(e *Exchange) bool {
				if !e.Is("CAPA") || !e.LoggedIn {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "capa-forgets-after-login", Doc: "After the login CAPA lists only what is of use then.", Rules: []string{"P3-CAPA-02"},
			Command: func(e *Exchange) bool {
				if !e.Is("CAPA") || !e.LoggedIn {
					return false
				}
				e.Reply = "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n.\r\n"
				return true
			},
		},
		{
			Name: "capa-two-spaces", Doc: "Two spaces part a tag from its parameter.", Rules: []string{"P3-CAPA-06"},
			Edit: announcing(func(_ *Session, reply string) string { return withTag(reply, "X-POSTFACH  on") }),
		},
		{
			Name: "capa-dot-in-tag", Doc: "A tag has a dot in it.", Rules: []string{"P3-CAPA-06"},
			Edit: announcing(func(_ *Session, reply string) string { return withTag(reply, "X-POST.FACH") }),
		},
		{
			Name: "capa-private-tag", Doc: "A private capability has a name that does not begin with X.", Rules: []string{"P3-CAPA-07"},
			Edit: announcing(func(_ *Session, reply string) string { return withTag(reply, "FANCY-SORT") }),
		},
		{
			Name: "sasl-without-mechanisms", Doc: "CAPA's SASL line lists no mechanism.", Rules: []string{"P3-CAPA-09"},
			Edit: announcing(func(_ *Session, reply string) string { return withTag(withoutTag(reply, "SASL"), "SASL") }),
		},
		{
			Name: "sasl-lists-what-fails", Doc: "CAPA's SASL line lists mechanisms that are refused.", Rules: []string{"P3-CAPA-09"},
			Edit: announcing(func(_ *Session, reply string) string {
				return withTag(withoutTag(reply, "SASL"), "SASL PLAIN SCRAM-SHA-256 CRAM-MD5 GSSAPI")
			}),
		},
		{
			Name: "brackets-around-texts", Doc: "With RESP-CODES announced, error texts are put into brackets.", Rules: []string{"P3-CAPA-10"},
			Edit: func(e *Exchange) {
				text, found := strings.CutPrefix(e.Reply, "-ERR ")
				if found && !strings.HasPrefix(text, "[") {
					e.Reply = "-ERR [error: " + strings.TrimSuffix(text, "\r\n") + "] sorry\r\n"
				}
			},
		},
		{
			Name: "login-delay-grows", Doc: "LOGIN-DELAY is larger after the login than before it, and not enforced.", Rules: []string{"P3-CAPA-11"},
			Edit: announcing(func(s *Session, reply string) string {
				if s.LoggedIn {
					return withTag(reply, "LOGIN-DELAY 900")
				}
				return withTag(reply, "LOGIN-DELAY 60")
			}),
		},
		{
			Name: "login-delay-not-enforced", Doc: "LOGIN-DELAY is announced, and the next login is taken at once.", Rules: []string{"P3-CAPA-11"},
			Edit: announcing(func(_ *Session, reply string) string { return withTag(reply, "LOGIN-DELAY 900") }),
		},
		{
			Name: "login-delay-without-number", Doc: "LOGIN-DELAY has no number of seconds.", Rules: []string{"P3-CAPA-11"},
			Edit: announcing(func(_ *Session, reply string) string { return withTag(reply, "LOGIN-DELAY USER") }),
		},
		{
			Name: "expire-shrinks", Doc: "EXPIRE promises more before the login than after it.", Rules: []string{"P3-CAPA-13"},
			Edit: announcing(func(s *Session, reply string) string {
				reply = withoutTag(reply, "EXPIRE")
				if s.LoggedIn {
					return withTag(reply, "EXPIRE 7")
				}
				return withTag(reply, "EXPIRE NEVER")
			}),
		},
		{
			Name: "expire-without-days", Doc: "EXPIRE has no number of days.", Rules: []string{"P3-CAPA-13"},
			Edit: announcing(func(_ *Session, reply string) string {
				return withTag(withoutTag(reply, "EXPIRE"), "EXPIRE soon")
			}),
		},
		expireTakesAll(),
		{
			Name: "implementation-without-name", Doc: "CAPA's IMPLEMENTATION line has no token.", Rules: []string{"P3-CAPA-16"},
			Edit: announcing(func(_ *Session, reply string) string {
				return withTag(withoutTag(reply, "IMPLEMENTATION"), "IMPLEMENTATION")
			}),
		},
		{
			Name: "auth-code-forgotten", Doc: "AUTH-RESP-CODE is announced, and refused logins have no [AUTH].", Rules: []string{"P3-CAPA-17"},
			Edit: func(e *Exchange) { e.Reply = strings.Replace(e.Reply, "-ERR [AUTH] ", "-ERR ", 1) },
		},
		{
			Name: "auth-code-forgotten-by-auth", Doc: "AUTH-RESP-CODE is announced, PASS has [AUTH], and a refused AUTH has not.", Rules: []string{"P3-CAPA-17"},
			Edit: func(e *Exchange) {
				if e.Is("AUTH") || e.Response {
					e.Reply = strings.Replace(e.Reply, "-ERR [AUTH] ", "-ERR ", 1)
				}
			},
		},
		{
			Name: "stls-always-listed", Doc: "CAPA lists STLS in TLS and after the login, too.", Rules: []string{"P3-CAPA-18"},
			Edit: announcing(func(_ *Session, reply string) string { return withTag(withoutTag(reply, "STLS"), "STLS") }),
		},
		{
			Name: "capa-twice", Doc: "CAPA lists tags twice, and itself.", Rules: []string{"P3-CAPA-19"},
			Edit: announcing(func(_ *Session, reply string) string {
				return withTag(withTag(withTag(reply, "CAPA"), "UIDL"), "TOP")
			}),
		},
	}
}

// announcing changes the list of capabilities.
func announcing(change func(s *Session, reply string) string) func(*Exchange) {
	return func(e *Exchange) {
		if e.Is("CAPA") && strings.HasPrefix(e.Reply, "+OK") {
			e.Reply = change(e.Session, e.Reply)
		}
	}
}

// withTag puts a line at the end of CAPA's reply.
func withTag(reply, line string) string {
	list, found := strings.CutSuffix(reply, ".\r\n")
	if !found {
		return reply
	}
	return list + line + "\r\n.\r\n"
}

// withoutTag takes the lines of a tag out of CAPA's reply.
func withoutTag(reply, tag string) string {
	var kept strings.Builder
	for line := range strings.Lines(reply) {
		if first, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " "); first != tag {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// expireTakesAll has EXPIRE 0, and takes more than it may.
func expireTakesAll() Fault {
	const read = "read"
	return Fault{
		Name:  "expire-0-takes-all",
		Doc:   "With EXPIRE 0, QUIT removes messages that were not retrieved, and a dropped connection those that were.",
		Rules: []string{"P3-CAPA-14"},
		Command: func(e *Exchange) bool {
			switch {
			case e.Is("RETR"):
				e.Reply = e.Forward()
				if strings.HasPrefix(e.Reply, "+OK") {
					numbers, _ := e.Values[read].([]string)
					e.Values[read] = append(numbers, e.Args)
				}
				return true
			case e.Is("QUIT") && e.LoggedIn:
				var count int
				fmt.Sscanf(e.Ask("STAT"), "+OK %d", &count)
				for n := range min(count, 1000) {
					e.Ask(fmt.Sprintf("DELE %d", n+1))
				}
			}
			return false
		},
		Edit: announcing(func(_ *Session, reply string) string {
			return withTag(withoutTag(reply, "EXPIRE"), "EXPIRE 0")
		}),
		Hangup: func(s *Session) {
			numbers, _ := s.Values[read].([]string)
			if len(numbers) == 0 {
				return
			}
			for _, n := range numbers {
				s.Ask("DELE " + n)
			}
			s.Ask("QUIT")
		},
	}
}
