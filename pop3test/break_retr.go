package pop3test

import "strings"

func retrFaults() []Fault {
	return []Fault{
		{
			Name: "retr-loses-last-line", Doc: "RETR does not send the last line of a message.",
			Rules: []string{"P3-RETR-01"},
			Edit: func(e *Exchange) {
				if e.Is("RETR") {
					e.Reply = rebody(e.Reply, func(body string) string {
						body = strings.TrimSuffix(body, "\r\n")
						return body[:strings.LastIndex(body, "\n")+1]
					})
				}
			},
		},
		{
			Name: "retr-never-refuses", Doc: "RETR without a number, or of a message that is not there, sends an empty message.",
			Rules: []string{"P3-RETR-02"},
			Edit: func(e *Exchange) {
				if e.LoggedIn && e.Is("RETR") && negative(e.Reply) {
					e.Reply = "+OK 0 octets\r\n.\r\n"
				}
			},
		},
		{
			Name: "retr-deletes", Doc: "QUIT removes what RETR has sent.",
			Rules: []string{"P3-RETR-03"},
			Command: func(e *Exchange) bool {
				e.mark("read", e.numberOf("RETR"))
				if e.LoggedIn && e.Is("QUIT") {
					e.deleteAll("read")
				}
				return false
			},
		},
	}
}
