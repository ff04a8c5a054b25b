package pop3test

import "strings"

// messagePersonalities are servers that send or remove messages in their own
// way.
func messagePersonalities() []Personality {
	return []Personality{
		one("top-sends-all", "TOP sends the whole message.", Fault{Command: func(e *Exchange) bool {
			n, _, two := strings.Cut(e.Args, " ")
			if !e.Is("TOP") || !two {
				return false
			}
			e.Reply = e.Ask("RETR " + n)
			return true
		}}),
		one("stuffing-forgotten", "Lines that begin with a dot are sent as they are.", Fault{Edit: func(e *Exchange) {
			if e.Is("RETR") || e.Is("TOP") {
				e.Reply = strings.ReplaceAll(e.Reply, "\r\n..", "\r\n.")
			}
		}}),
		one("deletes-on-retr", "QUIT removes what was retrieved, without DELE.", Fault{Command: func(e *Exchange) bool {
			switch retrieved, _ := e.Values["retrieved"].([]string); {
			case e.Is("RETR"):
				e.Values["retrieved"] = append(retrieved, e.Args)
			case e.Is("RSET"):
				delete(e.Values, "retrieved")
			case e.Is("QUIT") && e.LoggedIn:
				for _, n := range retrieved {
					e.Ask("DELE " + n) // -ERR where there was no such message
				}
			}
			return false
		}}),
		one("quit-closes", "QUIT is obeyed and not answered: the connection ends.", Fault{Edit: func(e *Exchange) {
			if e.Is("QUIT") {
				e.Reply, e.Hangup = "", true
			}
		}}),
		one("quit-fails", "QUIT removes nothing and says so.", Fault{Command: func(e *Exchange) bool {
			if !e.Is("QUIT") || !e.LoggedIn {
				return false
			}
			e.Reply, e.Hangup = "-ERR [SYS/TEMP] nothing was deleted\r\n", true
			return true
		}}),
	}
}
