package pop3server

import (
	"context"

	"postfach/internal/popwire"
	"postfach/maildrop"
	"postfach/pop3"
)

// list is LIST (P3-LIST-05).
func (s *session) list(_ context.Context, args []string) error {
	return s.listing(args, textListing, func(line []byte, n int, m maildrop.Message) []byte {
		return popwire.AppendScanListing(line, pop3.ScanListing{Number: n, Size: m.Size})
	})
}

// listing answers LIST and UIDL: with the line of one message, or with those of all
// that are not marked, with gaps where others are (P3-MSG-02).
func (s *session) listing(args []string, follows text, appendLine func(line []byte, n int, m maildrop.Message) []byte) error {
	if len(args) == 1 {
		n, m, err := s.box.message(args[0])
		if err != nil {
			return err
		}
		return s.write(popwire.EndLine(appendLine(s.beginOK(), n, m)))
	}
	if err := s.ok(follows); err != nil {
		return err
	}
	for n, m := range s.box.unmarked() {
		line := appendLine(s.w.Room(listingRoom), n, m)
		if err := s.write(popwire.EndLine(line)); err != nil {
			return err
		}
	}
	return s.terminate()
}

// listingRoom is enough for a line: a number, and a size or a unique-id, of which none
// has more than 70 octets (P3-UIDL-03).
const listingRoom = 96

// terminate ends a multi-line reply.
func (s *session) terminate() error {
	return s.write(popwire.AppendTerminator(s.w.Room(listingRoom)))
}
