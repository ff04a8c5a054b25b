package pop3test

import (
	"errors"
	"net"
	"strings"
	"time"

	"postfach/pop3check"
)

// How long a server that listens waits for a client that speaks too early:
// before the greeting, before each reply, and before the reply to QUIT.
const (
	beforeGreeting = 150 * time.Millisecond
	beforeReply    = 15 * time.Millisecond
	beforeGoodbye  = 250 * time.Millisecond
)

// listens is a good server that hears who speaks before it is asked.
func listens() []Fault {
	return []Fault{{
		Name: "listens",
		Greet: func(s *Session, greeting string) string {
			s.Wait(beforeGreeting)
			return greeting
		},
		Edit: func(e *Exchange) { e.Wait(beforeReply) },
	}}
}

func plainScenarios() []Scenario {
	return []Scenario{
		{Name: "good", Doc: "A good server that takes its time.", Security: "clear", Faults: listens()},
		{Name: "good-stls", Doc: "A good server that takes its time, with STLS.", Security: "stls", Faults: listens()},
		{Name: "good-tls", Doc: "A good server that takes its time, with TLS.", Security: "tls", Faults: listens()},
		{Name: "banner", Doc: "Greeting and IMPLEMENTATION name another program.", Security: "clear", Faults: []Fault{{
			Name:  "banner",
			Greet: func(*Session, string) string { return "+OK Qpopper (version 4.0.5) at localhost starting.\r\n" },
			Edit:  func(e *Exchange) { e.announce("IMPLEMENTATION Qpopper-version-4.0.5") },
		}}},
		{Name: "minimal", Doc: "No CAPA, TOP, UIDL, AUTH, STLS; no response codes.", Faults: []Fault{
			without("CAPA", "TOP", "UIDL", "AUTH", "APOP", "LAST", "UTF8", "LANG"),
			{Name: "no-codes", Edit: noCodes},
		}},
		{Name: "no-capa", Doc: "CAPA is an unknown command.", Faults: []Fault{without("CAPA")}},
		{Name: "capa-odd", Doc: "CAPA lists its tags in lower case, and some that nobody knows.", Security: "stls", Faults: []Fault{{
			Name: "capa-odd",
			Edit: func(e *Exchange) {
				e.announce("FOO-BAR 1 2", "X-VERY-ODD =;:", "SASL-IR")
				if e.Is("CAPA") {
					first, rest := parts(e.Reply)
					e.Reply = first + "\r\n" + strings.ToLower(rest)
				}
			},
		}}},
		{Name: "quit-slow", Doc: "QUIT is answered after a while.", Faults: []Fault{{Name: "quit-slow", Command: quitSlow}}},
		{Name: "quit-lost", Doc: "QUIT is not answered: the connection ends, and nothing is deleted.", Faults: []Fault{{
			Name: "quit-lost",
			Command: func(e *Exchange) bool {
				e.Hangup = e.Is("QUIT")
				return e.Hangup
			},
		}}},
		{Name: "quit-open", Doc: "After QUIT the client has to close the connection.", Security: "tls", Faults: []Fault{{
			Name: "quit-open",
			Command: func(e *Exchange) bool {
				if e.Is("QUIT") {
					e.Reply, e.Open = e.Forward(), true
				}
				return e.Open
			},
		}}},
	}
}

// quitSlow hears whether the client waits for its answer.
func quitSlow(e *Exchange) bool {
	if !e.Is("QUIT") {
		return false
	}
	e.Wait(beforeGoodbye)
	e.front.noteGone()
	e.Reply = e.Forward()
	return true
}

// noteGone records that the client has closed the connection, if it has.
func (f *front) noteGone() {
	f.client.SetReadDeadline(time.Now().Add(time.Millisecond))
	defer f.client.SetReadDeadline(time.Time{})
	var late net.Error
	if _, err := f.br.Peek(f.br.Buffered() + 1); err != nil && !(errors.As(err, &late) && late.Timeout()) {
		f.rec.add(pop3check.Event{Kind: pop3check.ClientClosed})
	}
}
