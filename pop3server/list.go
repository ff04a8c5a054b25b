package pop3server

import (
	"context"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// list is LIST: all unmarked messages, with gaps where others were marked
// (P3-MSG-02, P3-LIST-05), or one.
func (s *session) list(_ context.Context, args []string) error {
	if len(args) == 1 {
		n, m, err := s.box.message(args[0])
		if err != nil {
			return err
		}
		line := popwire.AppendScanListing(nil, pop3.ScanListing{Number: n, Size: m.Size})
		return s.reply(popwire.Reply{OK: true, Text: string(line)})
	}
	if err := s.ok(textListing); err != nil {
		return err
	}
	var line []byte
	for n, m := range s.box.unmarked() {
		line = popwire.AppendScanListing(line[:0], pop3.ScanListing{Number: n, Size: m.Size})
		if err := s.write(popwire.EndLine(line)); err != nil {
			return err
		}
	}
	return s.write(popwire.AppendTerminator(nil))
}
