package pop3test

import (
	"slices"
	"time"
)

func statesFaults() []Fault {
	return []Fault{
		{
			Name: "quit-before-login-unanswered", Doc: "QUIT before login closes the connection without a reply.",
			Rules: []string{"P3-ST-02"},
			Command: func(e *Exchange) bool {
				e.Hangup = !e.LoggedIn && e.Is("QUIT")
				return e.Hangup
			},
		},
		{
			Name: "hangup-deletes", Doc: "A session that ends without QUIT removes what is marked, too.",
			Rules:  []string{"P3-ST-03"},
			Hangup: func(s *Session) { s.Ask("QUIT") },
		},
		idle(Fault{
			Name: "logs-out-soon", Doc: "A session that says nothing is closed in less than a second.",
			Rules: []string{"P3-ST-04"},
		}, ""),
		{
			Name: "logs-out-busy-sessions", Doc: "The time until auto-logout is counted from login, whatever the client says.",
			Rules: []string{"P3-ST-05"},
			Command: func(e *Exchange) bool {
				if _, begun := e.Values["clock"]; e.LoggedIn && !begun {
					e.Values["clock"] = e.closesLater(soon, "")
				}
				return false
			},
			Hangup: forgetClock,
		},
		idle(Fault{
			Name: "logs-out-aloud", Doc: "Before auto-logout, which comes in less than a second, the server sends -ERR.",
			Rules: []string{"P3-ST-06"},
		}, "-ERR Disconnected for inactivity.\r\n"),
		{
			Name: "failed-login-is-final", Doc: "After a wrong password the connection stays open, and everything is refused.",
			Rules: []string{"P3-ST-07"},
			Command: func(e *Exchange) bool {
				if e.Values["failed"] == nil {
					return false
				}
				e.Reply = "-ERR you have had your chance\r\n"
				return true
			},
			Edit: func(e *Exchange) {
				if !e.LoggedIn && e.login() && negative(e.Reply) {
					e.Values["failed"] = true
				}
			},
		},
		{
			Name: "no-way-to-log-in", Doc: "There is no mechanism: no USER, no SASL, no timestamp.",
			Rules: []string{"P3-ST-08"},
			Greet: func(*Session, string) string { return "+OK POP3 server ready\r\n" },
			Command: func(e *Exchange) bool {
				if !e.isOne("USER", "PASS", "APOP", "AUTH") {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
			Edit: func(e *Exchange) {
				if e.Is("CAPA") {
					e.Reply = withoutTag(withoutTag(e.Reply, "USER"), "SASL")
				}
			},
		},
		{
			Name: "no-noop-no-rset", Doc: "NOOP and RSET are not there.",
			Rules: []string{"P3-ST-09"},
			Command: func(e *Exchange) bool {
				if !e.isOne("NOOP", "RSET") {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "login-after-login", Doc: "USER, PASS, APOP, AUTH and UTF8 are taken in the TRANSACTION state.",
			Rules: []string{"P3-ST-10"},
			Command: func(e *Exchange) bool {
				if !e.LoggedIn || !e.isOne("USER", "PASS", "APOP", "AUTH", "UTF8") {
					return false
				}
				e.Reply = "+OK you are welcome\r\n"
				return true
			},
		},
		{
			Name: "quit-leaves-open", Doc: "The connection stays open after QUIT.",
			Rules: []string{"P3-ST-11"},
			Command: func(e *Exchange) bool {
				if !e.Is("QUIT") {
					return false
				}
				e.Reply, e.Open = e.Forward(), true
				return true
			},
		},
		{
			Name: "once-is-enough", Doc: "STAT, NOOP and RSET, and RETR of the same message, work once in a session.",
			Rules: []string{"P3-ST-12"},
			Command: func(e *Exchange) bool {
				done, _ := e.Values["done"].([]string)
				did := e.Keyword + " " + e.Args
				switch {
				case !e.LoggedIn || !e.isOne("STAT", "NOOP", "RSET", "RETR"):
					return false
				case slices.Contains(done, did):
					e.Reply = "-ERR you have had that\r\n"
					return true
				}
				e.Values["done"] = append(done, did)
				return false
			},
		},
		{
			Name: "failed-login-lets-in", Doc: "After a wrong password the session is in the TRANSACTION state, and the name is still known.",
			Rules: []string{"P3-ST-13"},
			Command: func(e *Exchange) bool {
				failed, _ := e.Values["failed"].(bool)
				switch {
				case e.LoggedIn || e.Response:
					return false
				case e.Is("PASS") && failed:
					e.Ask("USER " + e.Name)
					e.Reply = e.Forward()
					return true
				case failed && asEmpty(e):
					return true
				}
				return false
			},
			Edit: func(e *Exchange) {
				if e.login() && negative(e.Reply) {
					e.Values["failed"] = true
				}
			},
		},
		{
			Name: "endless-patience", Doc: "No number of bad commands and wrong passwords ends a connection.",
			Rules: []string{"P3-ST-14"},
			Command: func(e *Exchange) bool {
				if e.Is("PASS") && !e.LoggedIn && (accounts{e.Server}).find(e.Name).password != e.Args {
					e.Reply = "-ERR [AUTH] login failed\r\n"
					return true
				}
				return false
			},
			Edit: func(e *Exchange) {
				if negative(e.Reply) {
					e.Ask("CAPA") // a good command: the real server begins to count again
				}
			},
		},
	}
}

// soon is an auto-logout timer that tests have time for.
const soon = 400 * time.Millisecond

// idle makes an auto-logout timer that is much too short, and ends sessions
// with these octets.
func idle(f Fault, last string) Fault {
	f.Command = func(e *Exchange) bool {
		forgetClock(e.Session)
		return false
	}
	f.Edit = func(e *Exchange) {
		if e.LoggedIn && !e.Is("QUIT") {
			e.Values["clock"] = e.closesLater(soon, last)
		}
	}
	f.Hangup = forgetClock
	return f
}

// closesLater closes the connection in a while. The function that it returns
// forgets it.
func (s *Session) closesLater(d time.Duration, last string) (stop func() bool) {
	return time.AfterFunc(d, func() {
		if last != "" {
			s.Write(last)
		}
		s.Close()
	}).Stop
}

func forgetClock(s *Session) {
	if stop, ok := s.Values["clock"].(func() bool); ok {
		stop()
	}
}
