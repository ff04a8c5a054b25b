package pop3server

import (
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
