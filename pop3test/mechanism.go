package pop3test

import (
	"encoding/base64"
	"strings"
)

// A conversation is the server's end of one SASL exchange, held by a fault. It
// takes a response and returns the reply: a challenge, after which it is asked
// again, or the end. nil is the response of a client that has sent none yet.
type conversation func(s *Session, response []byte) string

// mechanisms are SASL mechanisms that a fault plays, because the real server
// does not have them or does them right.
type mechanisms struct {
	// announced is what CAPA's SASL line lists; nil: what the real server does.
	announced func(s *Session) string
	// begin returns nil for a mechanism that the real server is to play.
	begin func(s *Session, mechanism string) conversation
	// again plays them after a login, too.
	again bool
}

// inExchange is where the conversation of a session is kept.
const inExchange = "conversation"

// command is the fault's hook.
func (m mechanisms) command(e *Exchange) bool {
	if talk, ok := e.Values[inExchange].(conversation); ok {
		e.Reply = m.respond(e, talk)
		return true
	}
	switch {
	case e.Is("CAPA") && m.announced != nil:
		e.Reply = withSASL(e.Forward(), m.announced(e.Session))
		return true
	case !e.Is("AUTH") || e.LoggedIn && !m.again:
		return false
	}
	name, initial, found := strings.Cut(e.Args, " ")
	talk := m.begin(e.Session, strings.ToUpper(name))
	if talk == nil {
		return false
	}
	var response []byte
	if found {
		if initial == "=" { // present and empty
			initial = ""
		}
		var ok bool
		if response, ok = unbase64(initial); !ok {
			e.Reply = "-ERR not base64\r\n"
			return true
		}
	}
	e.Reply = m.goOn(e, talk, response)
	return true
}

// respond takes a line of the exchange.
func (m mechanisms) respond(e *Exchange, talk conversation) string {
	delete(e.Values, inExchange)
	line := strings.TrimRight(e.Line, "\r\n")
	if line == "*" {
		return "-ERR authentication cancelled\r\n"
	}
	response, ok := unbase64(line)
	if !ok {
		return "-ERR not base64\r\n"
	}
	return m.goOn(e, talk, response)
}

func (mechanisms) goOn(e *Exchange, talk conversation, response []byte) string {
	reply := talk(e.Session, response)
	if strings.HasPrefix(reply, "+ ") {
		e.Values[inExchange] = talk
	}
	return reply
}

// unbase64 is strict, and never returns nil with true.
func unbase64(s string) ([]byte, bool) {
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	return append([]byte{}, data...), true
}

// challengeOf is the line of a challenge.
func challengeOf(data string) string {
	return "+ " + base64.StdEncoding.EncodeToString([]byte(data)) + "\r\n"
}

// withSASL returns CAPA's reply with another list of mechanisms. "" takes the
// line away.
func withSASL(reply, list string) string {
	if list == "" {
		return withoutTag(reply, "SASL")
	}
	return withTag(withoutTag(reply, "SASL"), "SASL "+list)
}

// letIn opens an account's maildrop for a client that has proved who it is. It
// returns the real server's reply.
func (s *Session) letIn(name string) string {
	s.Ask("USER " + name)
	return s.Ask("PASS " + s.password(name))
}

// password returns an account's password, "" for names that nobody has.
func (s *Session) password(name string) string { return accounts{s.Server}.find(name).password }

// onlyPlain plays PLAIN, whose whole message handle gets.
func onlyPlain(handle func(s *Session, message string) string) mechanisms {
	return mechanisms{begin: func(_ *Session, mechanism string) conversation {
		if mechanism != "PLAIN" {
			return nil
		}
		return func(s *Session, response []byte) string {
			if response == nil {
				return "+ \r\n"
			}
			return handle(s, string(response))
		}
	}}
}

// askPlain lets the real server judge a message of PLAIN.
func askPlain(s *Session, message string) string {
	if message == "" {
		return s.Ask("AUTH PLAIN =")
	}
	return s.Ask("AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte(message)))
}

// Mechanisms gives the server SASL mechanisms that it does not have by itself:
// SCRAM-SHA-256 and SCRAM-SHA-1, in TLS with channel binding as well,
// CRAM-MD5, and in TLS OAUTHBEARER and XOAUTH2, where an account's token is its
// password. It breaks no rule.
func Mechanisms() Fault {
	return Fault{
		Name: "more-mechanisms", Doc: "SCRAM, CRAM-MD5, OAUTHBEARER and XOAUTH2 work.",
		Command: mechanisms{
			announced: func(s *Session) string {
				list := scram{}.announced(s) + " CRAM-MD5"
				if s.TLS {
					list += " OAUTHBEARER XOAUTH2"
				}
				return list
			},
			begin: func(s *Session, mechanism string) conversation {
				for _, m := range []mechanisms{scram{}.mechanisms(), cram{}.mechanisms(), oauth{}.mechanisms()} {
					if talk := m.begin(s, mechanism); talk != nil {
						return talk
					}
				}
				return nil
			},
		}.command,
	}
}
