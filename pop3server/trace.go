package pop3server

import (
	"bytes"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// trace shows what crossed the wire to whoever listens.
func (s *session) trace(client bool, octets []byte) {
	s.srv.Trace(pop3.TraceEvent{Session: s.id, Time: time.Now(), Client: client, Octets: octets})
}

// traceTLS says that TLS has begun.
func (s *session) traceTLS() {
	if s.srv.Trace != nil {
		s.srv.Trace(pop3.TraceEvent{Session: s.id, Time: time.Now(), TLS: true})
	}
}

// traceLine shows a line of the client.
func (s *session) traceLine(line []byte) {
	if s.srv.Trace != nil {
		s.trace(true, popwire.EndLine(line))
	}
}

// traceCommand shows a command line without its secrets (P3-USR-12).
func (s *session) traceCommand(line []byte) {
	if s.srv.Trace != nil {
		s.traceLine(popwire.Redact(line))
	}
}

// challenge sends a challenge. Of SCRAM, traces leave the server's proof out: with
// the rest of the exchange beside it, passwords can be tried against it
// (P3-USR-12).
func (s *session) challenge(octets []byte) error {
	line := popwire.AppendChallenge(nil, octets)
	if s.srv.Trace == nil || !bytes.HasPrefix(octets, []byte("v=")) {
		return s.write(line)
	}
	if err := s.w.Flush(); err != nil { // what is shown comes before what is not
		return &endError{endHangup, err}
	}
	tap := s.w.Tap
	s.w.Tap = nil
	err := s.write(line)
	if cut := s.w.Flush(); err == nil && cut != nil {
		err = &endError{endHangup, cut}
	}
	s.w.Tap = tap
	s.trace(false, popwire.EndLine([]byte("+ "+popwire.Secret)))
	return err
}
