package pop3test

import (
	"slices"
	"strings"
)

func deleFaults() []Fault {
	return []Fault{
		{
			Name: "dele-acts-at-once", Doc: "DELE removes the message: neither RSET nor the end of the connection brings it back.",
			Rules: []string{"P3-DELE-01"},
			Command: func(e *Exchange) bool {
				if !e.LoggedIn || !e.Is("RSET") {
					return false
				}
				e.Reply = "+OK nothing to undo\r\n"
				return true
			},
			Hangup: func(s *Session) {
				if s.LoggedIn {
					s.Ask("QUIT")
				}
			},
		},
		{
			Name: "marked-messages-answer", Doc: "RETR, LIST, UIDL, TOP and DELE work with the number of a message that is marked as deleted.",
			Rules: []string{"P3-DELE-02"},
			Command: func(e *Exchange) bool {
				switch {
				case !e.LoggedIn:
				case e.Is("DELE") && positive(e.Ask("LIST "+itoa(e.number(0)))):
					e.mark("deleted", e.number(0))
					e.Reply = "+OK message deleted\r\n"
					return true
				case e.Is("RSET"):
					delete(e.Values, "deleted")
				case e.Is("QUIT"):
					e.deleteAll("deleted")
				}
				return false
			},
		},
		{
			Name: "dele-never-refuses", Doc: "DELE without a number, or of a message that is not there, is answered +OK.",
			Rules: []string{"P3-DELE-03"},
			Edit: func(e *Exchange) {
				if e.LoggedIn && e.Is("DELE") && negative(e.Reply) {
					e.Reply = "+OK message deleted\r\n"
				}
			},
		},
		markedAnswers("RETR", "P3-RETR-02"),
		markedAnswers("LIST", "P3-LIST-04"),
		markedAnswers("UIDL", "P3-UIDL-07"),
		markedAnswers("TOP", "P3-TOP-06"),
		markedAnswers("DELE", "P3-DELE-02"),
	}
}

// markedAnswers makes one command forget to look at the marks.
func markedAnswers(keyword, rule string) Fault {
	rules := []string{"P3-DELE-02"}
	if rule != rules[0] {
		rules = append(rules, rule)
	}
	return Fault{
		Name: "marked-message-answers-" + strings.ToLower(keyword), Rules: rules,
		Doc: keyword + " works with the number of a message that is marked as deleted.",
		Command: func(e *Exchange) bool {
			n := e.numberOf(keyword)
			switch {
			case e.Is("RSET"):
				delete(e.Values, "deleted")
			case n > 0 && slices.Contains(e.marks("deleted"), n):
				e.Ask("RSET")
				e.Reply = e.Forward()
				e.deleteAll("deleted")
				return true
			}
			return false
		},
		Edit: func(e *Exchange) {
			if positive(e.Reply) {
				e.mark("deleted", e.numberOf("DELE"))
			}
		},
	}
}
