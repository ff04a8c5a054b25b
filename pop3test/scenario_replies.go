package pop3test

import "strings"

func replyScenarios() []Scenario {
	return []Scenario{
		{Name: "bare-replies", Doc: "Replies are only the status indicator wherever text behind it means nothing.", Faults: []Fault{{
			Name:  "bare-replies",
			Greet: func(*Session, string) string { return "+OK\r\n" },
			Edit: func(e *Exchange) {
				if e.Is("STAT") || e.single("LIST") || e.single("UIDL") || challenge(e.Reply) {
					return
				}
				first, rest := parts(e.Reply)
				status, _, _ := strings.Cut(first, " ")
				e.Reply = status + "\r\n" + rest
			},
		}}},
		{Name: "lower-case", Doc: "Status indicators are in lower case, and lines with them end with a bare LF.", Faults: []Fault{{
			Name:  "lower-case",
			Greet: func(_ *Session, greeting string) string { return lowerCase(greeting) },
			Edit:  func(e *Exchange) { e.Reply = lowerCase(e.Reply) },
		}}},
		{Name: "no-status", Doc: `A login is answered with "OK", without the plus sign.`, Faults: []Fault{{
			Name: "no-status",
			Edit: func(e *Exchange) {
				if e.login() && positive(e.Reply) {
					e.Reply = "OK welcome\r\n"
				}
			},
		}}},
		{Name: "octet-by-octet", Doc: "Everything comes one octet at a time.", Mail: dotted(), Faults: []Fault{{
			Name: "octet-by-octet",
			Send: func(s *Session, octets string) {
				for i := range len(octets) {
					s.Write(octets[i : i+1])
				}
			},
		}}},
		{Name: "stat-text", Doc: "STAT has text and numbers behind its numbers.", Faults: []Fault{edited("stat-text", func(e *Exchange) {
			if e.Is("STAT") {
				e.Reply = strings.Replace(e.Reply, "\r\n", " (hello) 77 99\r\n", 1)
			}
		})}},
		{Name: "list-text", Doc: "LIST has a wrong count in its first line, and text behind its numbers.", Faults: []Fault{edited("list-text", listText)}},
		{Name: "retr-text", Doc: "RETR announces 99999999 octets in its text.", Faults: []Fault{edited("retr-text", func(e *Exchange) {
			if e.Is("RETR") && positive(e.Reply) {
				_, rest := parts(e.Reply)
				e.Reply = "+OK 99999999 octets\r\n" + rest
			}
		})}},
	}
}

// edited is a fault that changes replies.
func edited(name string, edit func(*Exchange)) Fault { return Fault{Name: name, Edit: edit} }

// lowerCase changes the first line of a reply.
func lowerCase(reply string) string {
	first, rest := parts(reply)
	status, text, found := strings.Cut(first, " ")
	if status != "+OK" && status != "-ERR" {
		return reply
	}
	if found {
		text = " " + text
	}
	return strings.ToLower(status) + text + "\n" + rest
}

func listText(e *Exchange) {
	switch {
	case e.listing("LIST"):
		_, rest := parts(relist(e.Reply, func(n int, word string) string {
			return itoa(n) + " " + word + " extra 9\r\n"
		}))
		e.Reply = "+OK 77 messages (4711 octets)\r\n" + rest
	case e.single("LIST"):
		e.Reply = strings.Replace(e.Reply, "\r\n", " extra 9\r\n", 1)
	}
}
