package pop3server

import (
	"context"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// uidl is UIDL: all unmarked messages, or one (P3-UIDL-01, P3-UIDL-07).
func (s *session) uidl(_ context.Context, args []string) error {
	if len(args) == 1 {
		n, m, err := s.box.message(args[0])
		if err != nil {
			return err
		}
		line := popwire.AppendIDListing(nil, pop3.IDListing{Number: n, ID: m.ID})
		return s.reply(popwire.Reply{OK: true, Text: string(line)})
	}
	if err := s.ok(textIDs); err != nil {
		return err
	}
	var line []byte
	for n, m := range s.box.unmarked() {
		line = popwire.AppendIDListing(line[:0], pop3.IDListing{Number: n, ID: m.ID})
		if err := s.write(popwire.EndLine(line)); err != nil {
			return err
		}
	}
	return s.write(popwire.AppendTerminator(nil))
}
