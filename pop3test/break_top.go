package pop3test

import (
	"math"
	"strings"
)

func topFaults() []Fault {
	return []Fault{
		{
			Name: "top-any-line-is-all", Doc: "TOP with 1 or more sends the whole message.",
			Rules: []string{"P3-TOP-01"},
			Command: func(e *Exchange) bool {
				if !e.LoggedIn || !e.Is("TOP") || e.number(1) < 1 {
					return false
				}
				e.Reply = e.Ask("RETR " + itoa(e.number(0)))
				return true
			},
		},
		{
			Name: "top-without-second-argument", Doc: "TOP with a missing, negative or senseless number of lines takes it for 0.",
			Rules: []string{"P3-TOP-02"},
			Command: func(e *Exchange) bool {
				if !e.LoggedIn || !e.Is("TOP") || strings.HasSuffix(e.Args, " 0") || e.number(0) < 1 || e.number(1) > 0 {
					return false
				}
				e.Reply = e.Ask("TOP " + itoa(e.number(0)) + " 0")
				return true
			},
		},
		{
			Name: "top-zero-sends-all", Doc: "TOP with 0 sends the whole message.", Rules: []string{"P3-TOP-03"},
			Command: func(e *Exchange) bool {
				if !e.Is("TOP") || !strings.HasSuffix(e.Args, " 0") {
					return false
				}
				n, _, _ := strings.Cut(e.Args, " ")
				e.Reply = e.Ask("RETR " + n)
				return true
			},
		},
		{
			Name: "top-at-most-one-line", Doc: "TOP sends one line of the body when it is asked for more than there are.",
			Rules: []string{"P3-TOP-04"},
			Command: func(e *Exchange) bool {
				if !e.LoggedIn || !e.Is("TOP") || e.number(1) < e.bodyLines() {
					return false
				}
				e.Reply = e.Ask("TOP " + itoa(e.number(0)) + " 1")
				return true
			},
		},
		{
			Name: "top-counts-header", Doc: "TOP counts the lines of the header.",
			Rules: []string{"P3-TOP-05"},
			Command: func(e *Exchange) bool {
				if !e.LoggedIn || !e.Is("TOP") || e.number(1) < 1 {
					return false
				}
				head := e.Ask("TOP " + itoa(e.number(0)) + " 0")
				left := max(0, e.number(1)-strings.Count(head, "\r\n")+2)
				e.Reply = e.Ask("TOP " + itoa(e.number(0)) + " " + itoa(left))
				return true
			},
		},
		{
			Name: "top-never-refuses", Doc: "TOP of a message that is not there, or marked as deleted, sends nothing.",
			Rules: []string{"P3-TOP-06"},
			Edit: func(e *Exchange) {
				if e.LoggedIn && e.Is("TOP") && negative(e.Reply) {
					e.Reply = "+OK top of message follows\r\n.\r\n"
				}
			},
		},
		{
			Name: "top-unannounced", Doc: "TOP works and CAPA does not list it.", Rules: []string{"P3-TOP-07"},
			Command: func(e *Exchange) bool {
				if !e.Is("CAPA") {
					return false
				}
				e.Reply = strings.Replace(e.Forward(), "TOP\r\n", "", 1)
				return true
			},
		},
		{
			Name: "top-announced-and-missing", Doc: "CAPA lists TOP, and it does not exist.",
			Rules: []string{"P3-TOP-07"},
			Command: func(e *Exchange) bool {
				if !e.Is("TOP") {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "top-announced-after-login", Doc: "CAPA lists TOP and UIDL after login only.",
			Rules: []string{"P3-TOP-07", "P3-UIDL-08"},
			Edit: func(e *Exchange) {
				if e.Is("CAPA") && !e.LoggedIn {
					e.Reply = withoutTag(withoutTag(e.Reply, "TOP"), "UIDL")
				}
			},
		},
		{
			Name: "top-deletes", Doc: "QUIT removes what TOP has sent.",
			Rules: []string{"P3-TOP-09"},
			Command: func(e *Exchange) bool {
				e.mark("read", e.numberOf("TOP"))
				if e.LoggedIn && e.Is("QUIT") {
					e.deleteAll("read")
				}
				return false
			},
		},
		{
			Name: "top-without-empty-line", Doc: "TOP does not send the empty line behind a header that has no body.",
			Rules: []string{"P3-TOP-10"},
			Edit: func(e *Exchange) {
				n := e.numberOf("TOP")
				if _, body, _ := strings.Cut(onWire(e.stored(n)), "\r\n\r\n"); n > 0 && body == "" {
					e.Reply = rebody(e.Reply, func(sent string) string { return strings.TrimSuffix(sent, "\r\n") })
				}
			},
		},
	}
}

// bodyLines counts the lines of the body of the message that a command names.
func (e *Exchange) bodyLines() int {
	_, body, found := strings.Cut(onWire(e.stored(e.number(0))), "\r\n\r\n")
	if !found {
		return math.MaxInt
	}
	return strings.Count(body, "\r\n")
}
