package pop3test

import (
	"bufio"
	"crypto/tls"
	"strings"
	"time"
)

// A Fault is something that the server does otherwise than it should, or
// otherwise than usual. Every hook may be nil. Hooks are called from the
// goroutine of the connection.
type Fault struct {
	// Name and Doc tell people. Rules are the requirements that it breaks.
	Name, Doc string
	Rules     []string

	// Accept comes before all else, TLS included.
	Accept func(s *Session)
	// TLS changes the configuration of a connection's handshake.
	TLS func(*tls.Config)
	// Certificate is shown instead of the good one.
	Certificate Certificate
	// Secured comes when TLS has begun by STLS.
	Secured func(s *Session)
	// Greet returns what is sent instead of the greeting: octets with line
	// ends. "" closes the connection.
	Greet func(s *Session, greeting string) string
	// Line changes a line that the client sent, line end included, before
	// anything else sees it.
	Line func(s *Session, line string) string
	// Command handles a command in the server's place, by setting e's fields,
	// and reports whether it did. e.Forward asks the real server.
	Command func(e *Exchange) bool
	// Edit changes e.Reply when all hooks and the real server have done with
	// the command. The session's state follows the reply as it was before.
	Edit func(e *Exchange)
	// Send writes octets to the client, in the segments that it likes, with
	// s.Write.
	Send func(s *Session, octets string)
	// Hangup happens when the client has gone without QUIT. s.Ask still asks
	// the real server.
	Hangup func(s *Session)
}

// A Session is one connection to a client, with a connection of its own to the
// real server behind it. The two share what the faults do not touch.
type Session struct {
	Server *Server
	Number int  // counts the server's connections from 1
	TLS    bool // TLS is active
	// ImplicitTLS: the connection is to the port that begins with TLS.
	ImplicitTLS bool
	LoggedIn    bool // the real server is in the TRANSACTION state
	// KeepClear keeps octets that came in clear behind STLS, and reads them
	// as if they had come in TLS.
	KeepClear bool
	// Unprotected, set in Accept, leaves a connection to the TLS port in clear.
	Unprotected bool
	// Fallback goes on in clear when the handshake after STLS fails, or does
	// not come. The real server must not have been asked for STLS.
	Fallback bool
	// Packets takes all that one read gives for a line, whole or not.
	Packets bool
	// Name is what USER said last.
	Name string
	// Rest, in Hangup, is what came of a line that has no end.
	Rest string
	// Values are a fault's own memory.
	Values map[string]any
	// SendNext, if not nil, writes the next reply, instead of Fault.Send.
	SendNext func(octets string)

	front *front
}

// Ask sends a line, without line end, to the real server and returns its whole
// reply, with all line ends and the terminator. "" when it has gone.
func (s *Session) Ask(line string) string { return s.front.ask(line + "\r\n") }

// Write sends octets to the client as one segment.
func (s *Session) Write(octets string) { s.front.write(octets) }

// Wait lets time pass, and then listens whether the client has gone on
// speaking. It reports whether the session goes on: the server may be closed
// meanwhile.
func (s *Session) Wait(d time.Duration) bool {
	if !s.pause(d) {
		return false
	}
	s.front.listen()
	return true
}

func (s *Session) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.Server.done:
		return false
	}
}

// Begins waits until the client has said something, but no longer than d. It
// works in Accept only.
func (s *Session) Begins(d time.Duration) bool {
	s.front.client.SetReadDeadline(time.Now().Add(d))
	defer s.front.client.SetReadDeadline(time.Time{})
	_, err := s.front.br.Peek(1)
	return err == nil
}

// Silence waits until the client has gone, and reads what it says.
func (s *Session) Silence() { s.front.outlast() }

// Close cuts the connection to the client.
func (s *Session) Close() { s.front.client.Close() }

// An Exchange is one command and its reply.
type Exchange struct {
	*Session
	Line    string // as it came, with its line end
	Keyword string // in upper case
	Args    string // behind the keyword, without line end
	// Response: the line answers a SASL challenge. It has no keyword.
	Response bool

	// Reply is what is sent: octets with line ends.
	Reply string
	// Stall: after Reply nothing more is ever sent or read, until the client
	// goes.
	Stall bool
	// Hangup: after Reply the connection is cut.
	Hangup bool
	// Open: the connection stays open although QUIT was answered.
	Open bool

	forwarded bool
	rules     map[*acting]bool // whether they act on it
}

// Forward asks the real server and returns its whole reply.
func (e *Exchange) Forward() string {
	e.forwarded = true
	return e.front.forward(e.Line)
}

// Is reports whether the command has this keyword.
func (e *Exchange) Is(keyword string) bool { return e.Keyword == keyword }

// newExchange parts a line.
func newExchange(s *Session, line string) *Exchange {
	word, args, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	return &Exchange{Session: s, Line: line, Keyword: strings.ToUpper(word), Args: args}
}

// multiLine reports whether the reply to this command, that begins with first,
// goes on behind its first line (P3-MLT-05).
func multiLine(line, first string) bool {
	if !strings.HasPrefix(first, "+OK") {
		return false
	}
	f := strings.Fields(line)
	if len(f) == 0 {
		return false
	}
	switch strings.ToUpper(f[0]) {
	case "RETR", "TOP", "CAPA":
		return true
	case "LIST", "UIDL", "LANG":
		return len(f) == 1
	}
	return false
}

// readReply reads a whole reply from the real server.
func readReply(r *bufio.Reader, line string) string {
	first, err := r.ReadString('\n')
	if err != nil || !multiLine(line, first) {
		return first
	}
	var all strings.Builder
	all.WriteString(first)
	for {
		next, err := r.ReadString('\n')
		all.WriteString(next)
		if err != nil || next == ".\r\n" {
			return all.String()
		}
	}
}
