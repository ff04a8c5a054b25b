package pop3server

import (
	"context"

	"postfach/internal/popwire"
	"postfach/maildrop"
	"postfach/pop3"
)

// uidl is UIDL (P3-UIDL-01, P3-UIDL-07).
func (s *session) uidl(_ context.Context, args []string) error {
	return s.listing(args, textIDs, func(line []byte, n int, m maildrop.Message) []byte {
		return popwire.AppendIDListing(line, pop3.IDListing{Number: n, ID: m.ID})
	})
}
