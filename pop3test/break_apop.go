package pop3test

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
)

func apopFaults() []Fault {
	return []Fault{
		apopFault("apop-digest-without-brackets", "The digest is made of the timestamp without its brackets.", "P3-APOP-01",
			func(a apopCommand) bool { return a.digest == md5Hex(strings.Trim(a.timestamp, "<>")+a.secret) }),
		apopFault("apop-takes-any-digest", "APOP lets in with any digest.", "P3-APOP-02",
			func(apopCommand) bool { return true }),
		apopFault("apop-takes-a-cut-digest", "APOP compares only as much of the digest as the client has sent.", "P3-APOP-02",
			func(a apopCommand) bool { return strings.HasPrefix(md5Hex(a.timestamp+a.secret), a.digest) }),
		{
			Name: "apop-without-digest", Doc: "APOP is taken without a digest.", Rules: []string{"P3-APOP-03"},
			Command: func(e *Exchange) bool {
				if !e.Is("APOP") || strings.Contains(strings.TrimSpace(e.Args), " ") {
					return false
				}
				e.Reply = "+OK\r\n"
				return true
			},
		},
		apopSharesPassword(),
		{
			Name: "apop-any-time", Doc: "APOP works without a timestamp in the greeting, and after the login.", Rules: []string{"P3-APOP-05"},
			Greet: func(_ *Session, greeting string) string {
				if i := strings.Index(greeting, " <"); i >= 0 {
					return greeting[:i] + "\r\n"
				}
				return greeting
			},
			Command: func(e *Exchange) bool {
				if !e.Is("APOP") {
					return false
				}
				name, _, _ := strings.Cut(e.Args, " ")
				if !e.LoggedIn && e.password(name) != "" {
					e.Reply = e.letIn(name)
					return true
				}
				e.Reply = "+OK\r\n"
				return true
			},
		},
		{
			Name: "apop-after-login", Doc: "APOP is taken after the login.", Rules: []string{"P3-APOP-05"},
			Command: func(e *Exchange) bool {
				if !e.Is("APOP") || !e.LoggedIn {
					return false
				}
				e.Reply = "+OK\r\n"
				return true
			},
		},
		{
			Name: "apop-name-unprepared", Doc: "APOP compares names octet by octet, and refuses one that is only written otherwise.", Rules: []string{"P3-APOP-06"},
			Command: func(e *Exchange) bool {
				if !e.Is("APOP") || isASCII(e.Args) {
					return false
				}
				e.Reply = "-ERR [AUTH] login failed\r\n"
				return true
			},
		},
		apopFault("apop-ignores-what-follows", "APOP looks at the first 32 octets of the digest only.", "P3-APOP-07",
			func(a apopCommand) bool { return len(a.digest) >= 32 && a.digest[:32] == md5Hex(a.timestamp+a.secret) }),
		{
			Name: "timestamp-for-nobody", Doc: "The greeting has a timestamp although no account uses APOP.", Rules: []string{"P3-APOP-08"},
			Greet: func(_ *Session, greeting string) string {
				if strings.Contains(greeting, "<") {
					return greeting
				}
				return strings.TrimSuffix(greeting, "\r\n") + " <1896.697170952@localhost>\r\n"
			},
		},
	}
}

// An apopCommand is what a server has to compare.
type apopCommand struct{ timestamp, secret, digest string }

// apopFault lets in whom right lets in, and nobody else.
func apopFault(name, doc, rule string, right func(apopCommand) bool) Fault {
	return Fault{
		Name: name, Doc: doc, Rules: []string{rule}, Greet: keepTimestamp,
		Command: func(e *Exchange) bool {
			user, digest, found := strings.Cut(e.Args, " ")
			if !e.Is("APOP") || e.LoggedIn || !found || e.Values[timestamp] == nil {
				return false
			}
			secret := accounts{e.Server}.find(user).secret
			if secret == "" || !right(apopCommand{e.Values[timestamp].(string), secret, digest}) {
				e.Reply = "-ERR [AUTH] login failed\r\n"
				return true
			}
			e.Reply = e.letIn(user)
			return true
		},
	}
}

// timestamp is where the greeting's is kept.
const timestamp = "timestamp"

func keepTimestamp(s *Session, greeting string) string {
	if i := strings.IndexByte(greeting, '<'); i >= 0 {
		s.Values[timestamp] = strings.TrimRight(greeting[i:], "\r\n")
	}
	return greeting
}

// apopSharesPassword has APOP for every account, with the password that USER
// and PASS take as well.
func apopSharesPassword() Fault {
	return Fault{
		Name: "apop-shares-the-password", Doc: "Every account may use APOP, with the password that USER and PASS send in clear.", Rules: []string{"P3-APOP-04"},
		Greet: func(s *Session, greeting string) string {
			if !strings.Contains(greeting, "<") {
				greeting = strings.TrimSuffix(greeting, "\r\n") + " <1896.697170952@localhost>\r\n"
			}
			return keepTimestamp(s, greeting)
		},
		Command: func(e *Exchange) bool {
			user, digest, found := strings.Cut(e.Args, " ")
			if !e.Is("APOP") || e.LoggedIn || !found {
				return false
			}
			password := e.password(user)
			if password == "" || digest != md5Hex(e.Values[timestamp].(string)+password) {
				return false
			}
			e.Reply = e.letIn(user)
			return true
		},
	}
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}
