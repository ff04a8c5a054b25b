package pop3server

import (
	"context"
	"strconv"

	"postfach/internal/popwire"
)

// lastWorks reports whether the operator has switched LAST on (P3-LAST-05).
func (s *session) lastWorks() bool { return s.srv.Last }

// last is LAST (RFC 1460 section 5): the highest number that RETR has sent in
// this session.
func (s *session) last(context.Context, []string) error {
	return s.reply(popwire.Reply{OK: true, Text: strconv.Itoa(s.box.last)})
}
