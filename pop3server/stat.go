package pop3server

import (
	"context"

	"postfach/internal/popwire"
)

// stat is STAT: nothing follows the size (P3-STAT-03).
func (s *session) stat(context.Context, []string) error {
	return s.write(popwire.EndLine(popwire.AppendDropListing(s.beginOK(), s.box.listing())))
}

// sayListing answers with the same numbers, for people.
func (s *session) sayListing() error {
	l := s.box.listing()
	if l.Count == 1 {
		return s.ok(textHasOne, l.Size)
	}
	return s.ok(textHas, int64(l.Count), l.Size)
}
