package pop3test

import "strings"

// loginPersonalities are servers that do not let everybody in.
func loginPersonalities() []Personality {
	return []Personality{
		one("in-use", "The maildrop is in use by another session.", Refuse("-ERR [IN-USE] another session has the maildrop\r\n")),
		{"login-delay", "It is too early for another login; CAPA says LOGIN-DELAY 900.", []Fault{
			Refuse("-ERR [LOGIN-DELAY] the last login was less than 15 minutes ago\r\n"),
			{Name: "login-delay", Edit: func(e *Exchange) { e.announce("LOGIN-DELAY 900") }},
		}},
		one("app-password-needed", "The account's own password does not work for POP3.",
			Refuse("-ERR [AUTH] application-specific password required: make one in the security settings of your account\r\n")),
		one("pop-off", "POP3 is switched off for the account.",
			Refuse("-ERR [SYS/PERM] your account is not enabled for POP access: switch it on in the settings of your mailbox\r\n")),
		one("overloaded", "The greeting is -ERR [SYS/TEMP], and the connection ends.", Fault{
			Greet: func(s *Session, _ string) string {
				s.Write("-ERR [SYS/TEMP] too many connections, come back later\r\n")
				return ""
			},
		}),
		{"oauth-only", "No passwords: only OAUTHBEARER and XOAUTH2, in TLS, where the account's password is the token.", []Fault{
			{Name: "no-passwords", Command: noPasswords, Edit: func(e *Exchange) {
				e.announceNot("USER")
				if e.Is("CAPA") {
					e.Reply = strings.NewReplacer("\r\nSASL PLAIN\r\n", "\r\n", "\r\nSASL PLAIN ", "\r\nSASL ").Replace(e.Reply)
				}
			}},
			{Name: "oauth", Command: oauth{}.mechanisms().command},
		}},
	}
}

// noPasswords refuses what is no token.
func noPasswords(e *Exchange) bool {
	mechanism, _, _ := strings.Cut(strings.ToUpper(e.Args), " ")
	if e.LoggedIn || !e.Is("USER") && !e.Is("PASS") && !e.Is("APOP") && !(e.Is("AUTH") && mechanism == "PLAIN") {
		return false
	}
	e.Reply = "-ERR [AUTH] passwords are switched off, use OAuth\r\n"
	return true
}
