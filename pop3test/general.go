package pop3test

import (
	"crypto/tls"
	"errors"
	"strings"
)

// General returns the faults that are worth a name and break no rule that a
// server can be held to, or several at once. A Rule says what is not here.
func General() []Fault {
	return []Fault{
		{Name: "certificate-expired", Doc: "The certificate expired a month ago.", Certificate: Expired},
		{Name: "certificate-wrong-name", Doc: "The certificate is for another host.", Certificate: WrongName},
		{Name: "certificate-unknown-root", Doc: "The certificate is signed by an unknown root.", Certificate: UnknownRoot},

		{Name: "server-name-required", Doc: "A handshake without the server's name, or with another one, fails.", TLS: nameRequired},
		{Name: "stls-after-utf8", Doc: "STLS is taken after UTF8.", Command: stlsAfterUTF8},
		{Name: "stls-listed-after-login", Doc: "CAPA lists STLS after a login in clear.", Edit: announcing(stlsAfterLogin)},
		{Name: "oauth-token-in-error-text", Doc: "The refusal of OAUTHBEARER repeats the token.", Command: oauth{tells: true}.mechanisms().command},

		refusal("login-fails", "Logins fail, without a response code.", "-ERR no\r\n"),
		refusal("login-auth", "Logins fail with [AUTH]: the password is wrong.", "-ERR [AUTH] wrong name or password\r\n"),
		refusal("login-in-use", "Logins fail with [IN-USE].", "-ERR [IN-USE] another session has the maildrop\r\n"),
		refusal("login-too-early", "Logins fail with [LOGIN-DELAY].", "-ERR [LOGIN-DELAY] wait 15 minutes\r\n"),
		refusal("login-sys-temp", "Logins fail with [SYS/TEMP].", "-ERR [SYS/TEMP] the mail store is down\r\n"),
		refusal("login-sys-perm", "Logins fail with [SYS/PERM].", "-ERR [SYS/PERM] the maildrop is broken\r\n"),

		{Name: "body-short", Doc: "RETR sends half of the message and ends as if it were whole.", Edit: shortBody},
		{Name: "body-cut", Doc: "RETR sends half of the message, and the connection ends.", Edit: cutBody},
		{Name: "list-wrong-sizes", Doc: "LIST announces 7 octets too many for each message.", Edit: wrongSizes},
		{Name: "uidl-missing", Doc: "UIDL leaves the first message out.", Edit: missingID},
		{Name: "uidl-double", Doc: "UIDL gives the second message the id of the first.", Edit: doubleID},
		{Name: "uidl-illegal", Doc: "UIDL gives the first message an id with octets that are not allowed.", Edit: illegalID},
	}
}

func nameRequired(c *tls.Config) {
	good := c.Certificates[0]
	c.Certificates = nil
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName != "localhost" {
			return nil, errors.New("no certificate for this name")
		}
		return &good, nil
	}
}

func stlsAfterUTF8(e *Exchange) bool {
	if e.Is("UTF8") {
		e.Values["utf8"] = true
	}
	if !e.Is("STLS") || e.TLS || e.LoggedIn || e.Values["utf8"] == nil {
		return false
	}
	e.Reply = "+OK begin TLS\r\n"
	return true
}

// stlsAfterLogin is right for some and wrong for others (AMB-16).
func stlsAfterLogin(s *Session, reply string) string {
	if s.TLS || !s.LoggedIn {
		return reply
	}
	return withTag(reply, "STLS")
}

// Refuse is a fault: every login, by whatever command, is answered with reply,
// which is octets with a line end. The real server does not hear of it.
func Refuse(reply string) Fault {
	return refusal("login refused: "+strings.TrimRight(reply, "\r\n"), "Logins fail.", reply)
}

func refusal(name, doc, reply string) Fault {
	return Fault{Name: name, Doc: doc, Command: func(e *Exchange) bool {
		return e.triesLogin() && e.refuse(reply)
	}}
}

// triesLogin reports whether the command or the response would log in, if it
// were right.
func (e *Exchange) triesLogin() bool {
	mechanism, initial, _ := strings.Cut(e.Args, " ")
	switch {
	case e.LoggedIn:
		return false
	case e.Response, e.Is("PASS"), e.Is("APOP"):
		return true
	}
	return e.Is("AUTH") && mechanism != "" && initial != ""
}

// refuse answers in the server's place.
func (e *Exchange) refuse(reply string) bool {
	if e.Response {
		e.Ask("*") // the server waits for a response
	}
	e.Reply = reply
	return true
}

// half returns the first half of a message in a reply, in whole lines.
func half(e *Exchange) (reply string, ok bool) {
	if !e.Is("RETR") || !positive(e.Reply) {
		return "", false
	}
	lines := strings.SplitAfter(strings.TrimSuffix(e.Reply, ".\r\n"), "\r\n")
	return strings.Join(lines[:1+(len(lines)-1)/2], ""), true
}

func shortBody(e *Exchange) {
	if reply, ok := half(e); ok {
		e.Reply = reply + ".\r\n"
	}
}

func cutBody(e *Exchange) {
	if reply, ok := half(e); ok {
		e.Reply, e.Hangup = reply, true
	}
}

func wrongSizes(e *Exchange) {
	if e.Is("LIST") { // STAT knows better
		resize(e, func(_ int, octets int64) int64 { return octets + 7 })
	}
}

func missingID(e *Exchange) {
	switch {
	case e.listing("UIDL"):
		e.Reply = relist(e.Reply, func(n int, id string) string {
			if n == 1 {
				return ""
			}
			return itoa(n) + " " + id + "\r\n"
		})
	case e.single("UIDL") && e.number(0) == 1:
		e.Reply = "-ERR there is no such message\r\n"
	}
}

func doubleID(e *Exchange) {
	reid(e, func(n int, id string) string {
		if n == 2 {
			if reply := e.Ask("UIDL 1"); positive(reply) { // not deleted
				_, id = entry(reply)
			}
		}
		return id
	})
}

func illegalID(e *Exchange) {
	reid(e, func(n int, id string) string {
		if n == 1 {
			return "\x01\x80" + id + "\x7f"
		}
		return id
	})
}
