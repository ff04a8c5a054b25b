package pop3test

import (
	"regexp"
	"slices"
	"strings"
)

// poorPersonalities are servers that have less than ours.
func poorPersonalities() []Personality {
	return []Personality{
		{"minimal", "RFC 1939 and nothing optional: no CAPA, TOP, UIDL, STLS, AUTH, APOP, no response codes.", []Fault{
			without("CAPA", "TOP", "UIDL", "STLS", "AUTH", "APOP", "LAST", "UTF8", "LANG"),
			{Name: "no-codes", Greet: func(*Session, string) string { return "+OK ready\r\n" }, Edit: noCodes},
		}},
		one("no-capa", "CAPA is an unknown command; all others work.", without("CAPA")),
		one("capa-hangup", "CAPA cuts the connection.", Fault{Command: func(e *Exchange) bool {
			e.Hangup = e.Is("CAPA")
			return e.Hangup
		}}),
		one("no-uidl", "No UIDL.", without("UIDL")),
		one("no-top", "No TOP.", without("TOP")),
		one("no-stls", "No STLS on the port without TLS.", without("STLS")),
		one("no-pipelining", "PIPELINING is not announced.", Fault{Edit: func(e *Exchange) { e.announceNot("PIPELINING") }}),
		one("capa-changes", "CAPA lists TOP, UIDL and PIPELINING only after login, and no login commands any more.", Fault{Edit: func(e *Exchange) {
			if e.LoggedIn {
				e.announceNot("USER", "SASL", "STLS")
				return
			}
			e.announceNot("TOP", "UIDL", "PIPELINING", "EXPIRE")
		}}),
	}
}

// without is a server that does not know these commands, and does not announce
// them.
func without(commands ...string) Fault {
	return Fault{
		Name: "without " + strings.Join(commands, " "), Doc: "Commands are missing.",
		Command: func(e *Exchange) bool {
			if !slices.Contains(commands, e.Keyword) {
				return false
			}
			e.Reply = "-ERR unknown command\r\n"
			return true
		},
		Edit: func(e *Exchange) { e.announceNot(commands...) },
	}
}

// announceNot takes lines out of the reply to CAPA.
func (e *Exchange) announceNot(tags ...string) {
	if !e.Is("CAPA") || !positive(e.Reply) {
		return
	}
	lines := strings.SplitAfter(e.Reply, "\r\n")
	e.Reply = strings.Join(slices.DeleteFunc(lines, func(l string) bool {
		tag, _, _ := strings.Cut(strings.TrimRight(l, "\r\n"), " ")
		return slices.Contains(tags, tag) || tag == "SASL" && slices.Contains(tags, "AUTH")
	}), "")
}

// announce adds lines, without line ends, to the reply to CAPA.
func (e *Exchange) announce(lines ...string) {
	if !e.Is("CAPA") || !positive(e.Reply) {
		return
	}
	e.Reply = strings.TrimSuffix(e.Reply, ".\r\n") + strings.Join(lines, "\r\n") + "\r\n.\r\n"
}

func noCodes(e *Exchange) {
	e.Reply = regexp.MustCompile(`^(\+OK|-ERR) \[[^\]\r]*\] `).ReplaceAllString(e.Reply, "$1 ")
}
