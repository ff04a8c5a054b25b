package pop3test

import "strings"

func multilineFaults() []Fault {
	return []Fault{
		{
			Name: "lines-end-with-lf", Doc: "Behind the first line of a multi-line reply all lines end with a bare LF.",
			Rules: []string{"P3-MLT-01"},
			Edit: func(e *Exchange) {
				first, rest := parts(e.Reply)
				if positive(e.Reply) && rest != "" {
					e.Reply = first + "\r\n" + strings.ReplaceAll(rest, "\r\n", "\n")
				}
			},
		},
		{
			Name: "retr-keeps-bare-lf", Doc: "RETR sends lines that are stored with a bare LF with it.",
			Rules: []string{"P3-MLT-01", "P3-MSG-05"},
			Edit: func(e *Exchange) {
				if n := e.numberOf("RETR"); n > 0 && bareLF(e.stored(n)) {
					e.Reply = rebody(e.Reply, func(body string) string { return strings.ReplaceAll(body, "\r\n", "\n") })
				}
			},
		},
		{
			Name: "retr-unstuffed", Doc: "RETR sends lines that begin with a dot as they are.",
			Rules: []string{"P3-MLT-02"},
			Edit: func(e *Exchange) {
				if e.Is("RETR") {
					e.Reply = rebody(e.Reply, unstuffed)
				}
			},
		},
		{
			Name: "top-unstuffed", Doc: "TOP sends lines that begin with a dot as they are.",
			Rules: []string{"P3-MLT-10"},
			Edit: func(e *Exchange) {
				if e.Is("TOP") {
					e.Reply = rebody(e.Reply, unstuffed)
				}
			},
		},
		{
			Name: "refusal-with-terminator", Doc: "A refused RETR, TOP, LIST or UIDL ends with a line that is only a dot.",
			Rules: []string{"P3-MLT-04"},
			Edit: func(e *Exchange) {
				if e.isOne("RETR", "TOP", "LIST", "UIDL") && negative(e.Reply) {
					e.Reply += ".\r\n"
				}
			},
		},
		{
			Name: "one-message-multi-line", Doc: "LIST and UIDL with a number, and LANG with a language, have a multi-line reply.",
			Rules: []string{"P3-MLT-05"},
			Edit: func(e *Exchange) {
				if e.single("LIST") || e.single("UIDL") || e.single("LANG") {
					e.Reply = "+OK\r\n" + strings.TrimPrefix(e.Reply, "+OK ") + ".\r\n"
				}
			},
		},
		{
			Name: "cut-short-and-terminated", Doc: "RETR sends half of the message, as after a read error, and the terminator.",
			Rules: []string{"P3-MLT-08", "P3-RETR-01"},
			Edit: func(e *Exchange) {
				if e.Is("RETR") {
					e.Reply = rebody(e.Reply, func(body string) string {
						half := body[:len(body)/2]
						return half[:strings.LastIndex(half, "\n")+1]
					})
				}
			},
		},
		{
			Name: "empty-listing-with-empty-line", Doc: "A listing of nothing has an empty line before the terminator.",
			Rules: []string{"P3-MLT-11"},
			Edit: func(e *Exchange) {
				first, rest := parts(e.Reply)
				if (e.listing("LIST") || e.listing("UIDL")) && rest == ".\r\n" {
					e.Reply = first + "\r\n\r\n.\r\n"
				}
			},
		},
	}
}

// unstuffed takes the dots away that byte-stuffing added.
func unstuffed(body string) string {
	return strings.ReplaceAll("\r\n"+body, "\r\n..", "\r\n.")[2:]
}
