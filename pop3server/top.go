package pop3server

import (
	"context"

	"postfach/internal/popwire"
)

// top is TOP: the header, the empty line and so many lines of the body. It is
// no RETR: LAST does not notice (P3-TOP-09).
func (s *session) top(ctx context.Context, args []string) error {
	n, m, err := s.box.message(args[0])
	if err != nil {
		return err
	}
	lines, ok := popwire.ParseMessageNumber(args[1])
	if !ok {
		return &refusal{text: textNoNumber, bad: true} // P3-TOP-02
	}
	content, err := s.open(ctx, n, m)
	if err != nil {
		return err
	}
	defer content.Close()
	if err := s.ok(textTop); err != nil {
		return err
	}
	if _, err := s.sendBody(popwire.Top(content, lines), headerPiece); err != nil {
		return s.cut(n, err)
	}
	return s.terminate()
}
