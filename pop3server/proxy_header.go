package pop3server

import (
	"crypto/tls"
	"errors"
	"strings"

	"postfach/pop3"
)

// lookForHeader notices a PROXY header among the first commands of a session: a
// proxy that nobody has told the server of. It is answered like any other line
// that is no command, and nobody believes it.
func (s *session) lookForHeader(line []byte) {
	s.lines++
	const binary = 3 // its signature is CRLF CRLF NUL CRLF QUIT LF: the third line is the NUL
	first := s.lines == 1 && strings.HasPrefix(string(line), "PROXY ")
	if s.state == pop3.Authorization && (first || s.lines == binary && string(line) == "\x00") {
		s.unexpectedHeader()
	}
}

// lookForHeaderInTLS does that where a handshake was expected.
func (s *session) lookForHeaderInTLS(err error) {
	var record tls.RecordHeaderError
	if !errors.As(err, &record) {
		return
	}
	if start := record.RecordHeader; string(start[:]) == "PROXY" || start == [...]byte{'\r', '\n', '\r', '\n', 0} {
		s.unexpectedHeader()
	}
}

// unexpectedHeader is one line a minute.
func (s *session) unexpectedHeader() {
	if s.srv.guard.tellHeader() {
		s.log().Warn("a PROXY header came from an address that is not named as a proxy")
	}
}

func (g *Guard) tellHeader() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return due(&g.headerTold)
}
