package pop3test

import (
	"strings"
	"sync/atomic"
)

func codesFaults() []Fault {
	return []Fault{
		{
			Name: "code-bad-grammar", Doc: "Response codes have spaces in them and empty levels.", Rules: []string{"P3-RSP-01"},
			Edit: func(e *Exchange) {
				e.Reply = codeInstead(e.Reply, "[AUTH]", "[AUTH//BAD PASSWORD]")
				e.Reply = codeInstead(e.Reply, "[IN-USE]", "[IN USE]")
			},
		},
		{
			Name: "codes-unannounced", Doc: "Replies have response codes, and CAPA does not list RESP-CODES.", Rules: []string{"P3-RSP-04"},
			Edit: announcing(func(_ *Session, reply string) string { return withoutTag(reply, "RESP-CODES") }),
		},
		loginDelayOnUser(),
		{
			Name: "locked-is-auth", Doc: "A maildrop that another session has makes the login fail with [AUTH].", Rules: []string{"P3-RSP-06"},
			Edit: func(e *Exchange) { e.Reply = codeInstead(e.Reply, "[IN-USE]", "[AUTH]") },
		},
		{
			Name: "client-errors-are-sys", Doc: "What the client did wrong is reported as an error of the system.", Rules: []string{"P3-RSP-07"},
			Edit: func(e *Exchange) {
				if text, found := strings.CutPrefix(e.Reply, "-ERR "); found && !strings.HasPrefix(text, "[") {
					e.Reply = "-ERR [SYS/TEMP] " + text
				}
			},
		},
		{
			Name: "auth-code-on-user", Doc: "USER is refused with [AUTH], and CAPA does not list AUTH-RESP-CODE.", Rules: []string{"P3-RSP-08"},
			Command: func(e *Exchange) bool {
				if !e.Is("USER") || e.Args == "" || e.password(e.Args) != "" {
					return false
				}
				e.Reply = "-ERR [AUTH] no such user\r\n"
				return true
			},
			Edit: announcing(func(_ *Session, reply string) string { return withoutTag(reply, "AUTH-RESP-CODE") }),
		},
		{
			Name: "auth-code-unannounced", Doc: "Refused logins have [AUTH], and CAPA does not list AUTH-RESP-CODE.", Rules: []string{"P3-RSP-08"},
			Edit: announcing(func(_ *Session, reply string) string { return withoutTag(reply, "AUTH-RESP-CODE") }),
		},
		{
			Name: "utf8-refusal-without-code", Doc: "RETR of a message that needs UTF-8 mode is refused without [UTF8].", Rules: []string{"P3-RSP-10"},
			Command: func(e *Exchange) bool {
				if e.Is("UTF8") {
					e.Values["utf8"] = true
				}
				if !e.Is("RETR") || e.Values["utf8"] != nil {
					return false
				}
				e.Reply = e.Forward()
				header, _, _ := strings.Cut(e.Reply, "\r\n\r\n")
				if !isASCII(header) {
					e.Reply = "-ERR message needs UTF-8 mode\r\n"
				}
				return true
			},
		},
		{
			Name: "code-unregistered", Doc: "Refusals have codes that are registered nowhere.", Rules: []string{"P3-RSP-11"},
			Edit: func(e *Exchange) {
				e.Reply = codeInstead(e.Reply, "[AUTH]", "[BAD-PASSWORD]")
				if text, found := strings.CutPrefix(e.Reply, "-ERR "); found && !strings.HasPrefix(text, "[") {
					e.Reply = "-ERR [NO/2] " + text
				}
			},
		},
		{
			Name: "greeting-begins-with-bracket", Doc: "The greeting begins with an address in brackets, which looks like a code.", Rules: []string{"P3-RSP-12"},
			Greet: func(_ *Session, greeting string) string {
				return strings.Replace(greeting, "+OK ", "+OK [127.0.0.1] ", 1)
			},
		},
		{
			Name: "sign-off-begins-with-bracket", Doc: "The reply to QUIT begins with an address in brackets.", Rules: []string{"P3-RSP-12"},
			Edit: func(e *Exchange) {
				if e.Is("QUIT") {
					e.Reply = strings.Replace(e.Reply, "+OK ", "+OK [127.0.0.1] ", 1)
				}
			},
		},
	}
}

// codeInstead gives a negative reply another code.
func codeInstead(reply, code, other string) string {
	if !strings.HasPrefix(reply, "-ERR "+code) {
		return reply
	}
	return strings.Replace(reply, code, other, 1)
}

// loginDelayOnUser lets in twice, and then refuses where no password was said.
func loginDelayOnUser() Fault {
	count := func(s *Session) *atomic.Int32 {
		logins, _ := s.Server.kept.LoadOrStore("login-delay-on-user", new(atomic.Int32))
		return logins.(*atomic.Int32)
	}
	return Fault{
		Name: "login-delay-on-user", Doc: "Who has logged in twice hears [LOGIN-DELAY] to USER.", Rules: []string{"P3-RSP-05"},
		Command: func(e *Exchange) bool {
			if !e.Is("USER") || count(e.Session).Load() < 2 {
				return false
			}
			e.Reply = "-ERR [LOGIN-DELAY] wait a minute\r\n"
			return true
		},
		Edit: func(e *Exchange) {
			switch {
			case e.Is("CAPA"):
				e.Reply = withTag(e.Reply, "LOGIN-DELAY 60")
			case e.Is("PASS") && strings.HasPrefix(e.Reply, "+OK"):
				count(e.Session).Add(1)
			}
		},
	}
}
