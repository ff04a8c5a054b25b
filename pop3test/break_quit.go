package pop3test

import "strings"

func quitFaults() []Fault {
	return []Fault{
		{
			Name: "quit-removes-nothing", Doc: "QUIT is answered +OK, and what is marked stays.",
			Rules: []string{"P3-UPD-01", "P3-UPD-02"},
			Command: func(e *Exchange) bool {
				if e.LoggedIn && e.Is("QUIT") {
					e.Ask("RSET")
				}
				return false
			},
		},
		{
			Name: "quit-unanswered", Doc: "QUIT removes what is marked and closes the connection without a reply.",
			Rules: []string{"P3-UPD-01"},
			Edit: func(e *Exchange) {
				if e.LoggedIn && e.Is("QUIT") {
					e.Reply, e.Hangup = "", true
				}
			},
		},
		{
			Name: "quit-removes-neighbour", Doc: "QUIT removes the message behind the marked one, too, or before it.",
			Rules: []string{"P3-UPD-03"},
			Command: func(e *Exchange) bool {
				e.mark("deleted", e.numberOf("DELE"))
				switch {
				case !e.LoggedIn:
				case e.Is("RSET"):
					delete(e.Values, "deleted")
				case e.Is("QUIT"):
					for _, n := range e.marks("deleted") {
						if !positive(e.Ask("DELE " + itoa(n+1))) {
							e.Ask("DELE " + itoa(n-1))
						}
					}
				}
				return false
			},
		},
		{
			Name: "quit-answers-first", Doc: "QUIT is answered before the removal, which happens in the next session's QUIT.",
			Rules: []string{"P3-UPD-05", "P3-UPD-01"},
			Command: func(e *Exchange) bool {
				if e.LoggedIn && e.Is("QUIT") {
					removeLater(e)
				}
				return false
			},
		},
		{
			Name: "half-a-quit-counts", Doc: "QUIT without line end, before the connection's end, removes what is marked.",
			Rules: []string{"P3-UPD-06"},
			Hangup: func(s *Session) {
				if strings.EqualFold(strings.TrimSpace(s.Rest), "QUIT") {
					s.Ask("QUIT")
				}
			},
		},
		{
			Name: "expires-without-quit", Doc: "What RETR has sent is removed, even if the session ends without QUIT.",
			Rules: []string{"P3-UPD-08"},
			Command: func(e *Exchange) bool {
				e.mark("read", e.numberOf("RETR"))
				return false
			},
			Hangup: func(s *Session) {
				if s.LoggedIn {
					s.Ask("RSET")
					s.deleteAll("read")
					s.Ask("QUIT")
				}
			},
		},
	}
}

// removeLater leaves the removal to the next session.
func removeLater(e *Exchange) {
	const left = "left to remove"
	before := kept[[]string](e.Session, left)
	var ids []string
	for i, m := range e.messages() {
		if negative(e.Ask("LIST " + itoa(i+1))) {
			ids = append(ids, string(m.ID))
		}
	}
	e.Ask("RSET")
	for _, id := range before {
		e.Ask("DELE " + e.numberOfID(id))
	}
	keep(e.Session, left, ids)
}
