package pop3test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"postfach/maildrop"
)

func lockFaults() []Fault {
	return []Fault{
		{
			Name: "no-lock", Doc: "A second session of the same user is let in, to an empty maildrop.",
			Rules: []string{"P3-LCK-01"},
			Command: func(e *Exchange) bool {
				if second, _ := e.Values["second"].(bool); second {
					return asEmpty(e)
				}
				if !e.login() {
					return false
				}
				e.Reply = e.Forward()
				if strings.Contains(e.Reply, "[IN-USE]") {
					e.Values["second"] = true
					e.Reply = "+OK maildrop locked and ready\r\n"
				}
				return true
			},
		},
		{
			Name: "second-login-takes-over", Doc: "A second login of the same user ends the session that has the maildrop.",
			Rules: []string{"P3-LCK-01"},
			Command: func(e *Exchange) bool {
				if !e.Is("PASS") || e.LoggedIn {
					return false
				}
				e.Reply = e.Forward()
				if first := kept[*Session](e.Session, "has it"); first != nil && strings.Contains(e.Reply, "[IN-USE]") {
					first.Close()
					e.Ask("USER " + e.Name)
					e.Reply = e.Forward()
				}
				if positive(e.Reply) {
					keep(e.Session, "has it", e.Session)
				}
				return true
			},
		},
		{
			Name: "locked-out-and-in", Doc: "When the maildrop is in use the login is refused, and the session is in the TRANSACTION state.",
			Rules: []string{"P3-LCK-02"},
			Command: func(e *Exchange) bool {
				second, _ := e.Values["second"].(bool)
				return second && !e.LoggedIn && asEmpty(e)
			},
			Edit: func(e *Exchange) {
				if e.login() && strings.Contains(e.Reply, "[IN-USE]") {
					e.Values["second"] = true
				}
			},
		},
		{
			Name: "refused-login-keeps-lock", Doc: "A login that was refused leaves the maildrop locked.",
			Rules:   []string{"P3-LCK-03"},
			Command: staysLocked,
			Edit: func(e *Exchange) {
				if e.login() && negative(e.Reply) {
					lockFor(e.Session, time.Minute)
				}
			},
		},
		{
			Name: "quit-keeps-lock", Doc: "QUIT leaves the maildrop locked: for a second, and for a minute when something was removed.",
			Rules: []string{"P3-LCK-04", "P3-UPD-04"},
			Command: func(e *Exchange) bool {
				e.mark("deleted", e.numberOf("DELE"))
				return staysLocked(e)
			},
			Edit: func(e *Exchange) {
				switch {
				case !e.LoggedIn || !e.Is("QUIT"):
				case len(e.marks("deleted")) > 0:
					lockFor(e.Session, time.Minute)
				default:
					lockFor(e.Session, time.Second)
				}
			},
		},
		{
			Name: "hangup-keeps-lock", Doc: "A session that ends without QUIT leaves the maildrop locked.",
			Rules:   []string{"P3-LCK-05"},
			Command: staysLocked,
			Hangup: func(s *Session) {
				if s.LoggedIn {
					lockFor(s, time.Minute)
				}
			},
		},
		{
			Name: "marks-survive", Doc: "What was marked in a session that broke is marked in the next one.",
			Rules: []string{"P3-LCK-06"},
			Command: func(e *Exchange) bool {
				e.mark("deleted", e.numberOf("DELE"))
				if !e.login() {
					return false
				}
				e.Reply = e.Forward()
				if positive(e.Reply) {
					for _, id := range kept[[]string](e.Session, "deleted") {
						e.Ask("DELE " + e.numberOfID(id))
					}
					keep(e.Session, "deleted", []string(nil))
				}
				return true
			},
			Hangup: func(s *Session) {
				var ids []string
				all := s.messages()
				for _, n := range s.marks("deleted") {
					if n <= len(all) {
						ids = append(ids, string(all[n-1].ID))
					}
				}
				keep(s, "deleted", ids)
			},
		},
		{
			Name: "new-mail-shows", Doc: "Mail that comes during a session is counted and listed in it.",
			Rules: []string{"P3-LCK-07"},
			Edit:  showNewMail,
		},
		{
			Name: "new-mail-comes-first", Doc: "Mail that comes during a session gets the first number, and all others move up.",
			Rules: []string{"P3-LCK-08"},
			Line: func(s *Session, line string) string {
				m := withNumber.FindStringSubmatch(line)
				if m == nil || s.arrived() == 0 {
					return line
				}
				n, _ := strconv.Atoi(m[2])
				return m[1] + " " + itoa(max(0, n-s.arrived())) + m[3] + "\r\n"
			},
			Edit: moveUp,
		},
		{
			Name: "in-use-before-password", Doc: "A wrong password hears that the maildrop is in use, when it is.",
			Rules: []string{"P3-LCK-09"},
			Command: func(e *Exchange) bool {
				if !e.Is("PASS") || (accounts{e.Server}).find(e.Name).password == e.Args || !e.inUse() {
					return false
				}
				e.Forward()
				e.Reply = "-ERR [IN-USE] another session has this maildrop\r\n"
				return true
			},
		},
		{
			Name: "in-use-without-code", Doc: "That the maildrop is in use is said in words only.",
			Rules: []string{"P3-LCK-09"},
			Edit: func(e *Exchange) {
				if e.login() && strings.Contains(e.Reply, "[IN-USE]") {
					e.Reply = "-ERR mailbox is locked by another session\r\n"
				}
			},
		},
	}
}

// lockFor keeps everybody out for a while.
func lockFor(s *Session, d time.Duration) { keep(s, "locked until", time.Now().Add(d)) }

func staysLocked(e *Exchange) bool {
	if !e.isOne("PASS", "APOP", "AUTH") || !time.Now().Before(kept[time.Time](e.Session, "locked until")) {
		return false
	}
	e.Reply = "-ERR [IN-USE] maildrop is locked\r\n"
	return true
}

// inUse reports whether a session has the maildrop of the name in USER.
func (e *Exchange) inUse() bool {
	drop, err := e.Server.store.Open(context.Background(), e.Name)
	if err != nil {
		return errors.Is(err, maildrop.ErrLocked)
	}
	drop.Close()
	return false
}

// numberOfID returns the message number of a unique-id.
func (s *Session) numberOfID(id string) string {
	for i, m := range s.messages() {
		if string(m.ID) == id {
			return itoa(i + 1)
		}
	}
	return "0"
}

// showNewMail adds to listings what was not there at login.
func showNewMail(e *Exchange) {
	if e.login() && positive(e.Reply) {
		e.Values["there"] = len(e.messages())
		return
	}
	there, in := e.Values["there"].(int)
	all := e.messages()
	if !in || len(all) <= there || !positive(e.Reply) {
		return
	}
	lines, octets := "", 0
	for i, m := range all[there:] {
		size := len(onWire(m.Octets))
		octets += size
		word := string(m.ID)
		if e.Is("LIST") {
			word = itoa(size)
		}
		lines += itoa(there+i+1) + " " + word + "\r\n"
	}
	switch {
	case e.listing("LIST"), e.listing("UIDL"):
		e.Reply = strings.TrimSuffix(e.Reply, ".\r\n") + lines + ".\r\n"
	case e.Is("STAT"):
		count, word := entry(e.Reply)
		sum, _ := strconv.Atoi(word)
		e.Reply = "+OK " + itoa(count+len(all)-there) + " " + itoa(sum+octets) + "\r\n"
	}
}

// arrived counts the messages that came since login.
func (s *Session) arrived() int {
	there, in := s.Values["there"].(int)
	if !in {
		return 0
	}
	return len(s.messages()) - there
}

// moveUp counts listings from the first message that came since login.
func moveUp(e *Exchange) {
	if e.login() && positive(e.Reply) {
		e.Values["there"] = len(e.messages())
	}
	k := e.arrived()
	switch {
	case k == 0:
	case e.listing("LIST"), e.listing("UIDL"):
		e.Reply = relist(e.Reply, func(n int, word string) string { return itoa(n+k) + " " + word + "\r\n" })
	case e.single("LIST"), e.single("UIDL"):
		n, word := entry(e.Reply)
		e.Reply = "+OK " + itoa(n+k) + " " + word + "\r\n"
	}
}
