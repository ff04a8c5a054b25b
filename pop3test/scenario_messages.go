package pop3test

import (
	"crypto/tls"
	"strings"
)

func messageScenarios() []Scenario {
	const wild = "before it\n.\r\nstill the same message\r\n"
	return []Scenario{
		// What stands on the wire is spelled out, stuffing and all.
		{
			Name: "dots", Doc: "Lines that begin with dots.", Mail: dotted(), Faults: []Fault{spelled("dots",
				strings.TrimSuffix(letter("dots", ""), "\r\n")+"\r\n..\r\n...\r\n...two\r\nnot. at. the. beginning.\r\n..end\r\n.\r\n")},
		},
		{
			Name: "bare-lf-dot", Doc: "A line that is only a dot, between a bare LF and CR LF: not the end.",
			Mail: amid(letter("wild", "x\r\n")), Messages: amid(letter("wild", wild)),
			Faults: []Fault{spelled("bare-lf-dot", letter("wild", wild)+".\r\n")},
		},
		{
			Name: "long-line", Doc: "A message has a line of 100 000 octets.",
			Mail: amid(letter("long", strings.Repeat("long ", 20_000)+"\r\nthe line after it\r\n")),
		},
		{Name: "body-cut", Doc: "The connection ends in the middle of the second message.", Faults: []Fault{{
			Name: "body-cut",
			Command: func(e *Exchange) bool {
				if e.numberOf("RETR") != 2 {
					return false
				}
				e.Reply, e.Hangup = beginning(e.Forward()), true
				return true
			},
		}}},
		{Name: "body-cut-tls", Doc: "The connection ends in the middle of the second message, without close_notify.", Security: "tls", Faults: []Fault{{
			Name: "body-cut-tls",
			Command: func(e *Exchange) bool {
				if e.numberOf("RETR") != 2 {
					return false
				}
				e.Write(beginning(e.Forward()))
				if tc, ok := e.front.client.(*tls.Conn); ok {
					tc.NetConn().Close()
				}
				e.Hangup = true
				return true
			},
		}}},
		{Name: "retr-refused", Doc: "RETR of the second message is refused.", Faults: []Fault{{
			Name: "retr-refused",
			Command: func(e *Exchange) bool {
				if e.numberOf("RETR") != 2 {
					return false
				}
				e.Reply = "-ERR [SYS/TEMP] this message cannot be read now\r\n"
				return true
			},
		}}},
	}
}

func dotted() []string {
	return amid(letter("dots", ".\r\n..\r\n..two\r\nnot. at. the. beginning.\r\n.end\r\n"))
}

// amid puts a message between two usual ones.
func amid(message string) []string { return []string{letters()[0], message, letters()[2]} }

// spelled answers RETR of the second message with these octets behind the first
// line.
func spelled(name, octets string) Fault {
	return Fault{Name: name, Command: func(e *Exchange) bool {
		if e.numberOf("RETR") == 2 && positive(e.Forward()) {
			e.Reply = "+OK message follows\r\n" + octets
			return true
		}
		return false
	}}
}

// beginning is the first half of a reply: a part of the message without its end.
func beginning(reply string) string { return reply[:len(reply)/2] }
