package pop3test

import (
	"strings"
)

func listFaults() []Fault {
	return []Fault{
		{
			Name: "list-with-tabs", Doc: "In a scan listing number and size have a tab between them.",
			Rules: []string{"P3-LIST-01"},
			Edit: func(e *Exchange) {
				if e.listing("LIST") {
					e.Reply = relist(e.Reply, func(n int, word string) string {
						return itoa(n) + "\t" + word + "\r\n"
					})
				}
			},
		},
		{
			Name: "list-hides-newest", Doc: "The scan listing does not have the last message.",
			Rules: []string{"P3-LIST-01"},
			Edit: func(e *Exchange) {
				if e.listing("LIST") {
					e.Reply = relist(e.Reply, func(n int, word string) string {
						if n == len(e.messages()) {
							return ""
						}
						return itoa(n) + " " + word + "\r\n"
					})
				}
			},
		},
		{
			Name: "list-refused-when-empty", Doc: "LIST is refused when there is nothing to list.",
			Rules: []string{"P3-LIST-02"},
			Edit: func(e *Exchange) {
				if _, rest := parts(e.Reply); e.listing("LIST") && rest == ".\r\n" {
					e.Reply = "-ERR no messages\r\n"
				}
			},
		},
		{
			Name: "list-one-without-number", Doc: "LIST with a number answers the size only.",
			Rules: []string{"P3-LIST-03"},
			Edit: func(e *Exchange) {
				if e.single("LIST") {
					_, octets := entry(e.Reply)
					e.Reply = "+OK " + octets + " octets\r\n"
				}
			},
		},
		{
			Name: "list-knows-any-number", Doc: "LIST of a message that is not there, or marked as deleted, says that it has no octets.",
			Rules: []string{"P3-LIST-04"},
			Edit: func(e *Exchange) {
				if word := strings.TrimSpace(e.Args); e.Is("LIST") && word != "" && negative(e.Reply) {
					e.Reply = "+OK " + word + " 0\r\n"
				}
			},
		},
		{
			Name: "list-ignores-marks", Doc: "The scan listing has messages that are marked as deleted.",
			Rules:   []string{"P3-LIST-05"},
			Command: unmarked("LIST"),
		},
		{
			Name: "list-says-more", Doc: "The lines of a scan listing have a date behind the size.",
			Rules: []string{"P3-LIST-06"},
			Edit: func(e *Exchange) {
				if e.listing("LIST") {
					e.Reply = relist(e.Reply, func(n int, word string) string {
						return itoa(n) + " " + word + " 2026-08-17\r\n"
					})
				}
			},
		},
	}
}

// unmarked answers a listing as it was before the first DELE.
func unmarked(keyword string) func(*Exchange) bool {
	return func(e *Exchange) bool {
		before, marked := e.Values[keyword].(string)
		switch {
		case e.Is("DELE") && !marked:
			e.Values[keyword] = e.Ask(keyword)
		case e.Is(keyword) && e.Args == "" && marked:
			e.Reply = before
			return true
		}
		return false
	}
}
