package pop3server

import (
	"context"

	"postfach/internal/popwire"
)

// stat is STAT: nothing follows the size (P3-STAT-03).
func (s *session) stat(context.Context, []string) error {
	line := popwire.AppendDropListing(nil, s.box.listing())
	return s.reply(popwire.Reply{OK: true, Text: string(line)})
}

// sayListing answers with the same numbers, for people.
func (s *session) sayListing() error {
	l := s.box.listing()
	if l.Count == 1 {
		return s.ok(textHasOne, l.Size)
	}
	return s.ok(textHas, l.Count, l.Size)
}
