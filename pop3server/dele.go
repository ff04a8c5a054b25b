package pop3server

import "context"

// dele is DELE: it marks, and removes nothing (P3-DELE-01).
func (s *session) dele(_ context.Context, args []string) error {
	n, _, err := s.box.message(args[0])
	if err != nil {
		return err
	}
	s.box.delete(n)
	return s.ok(textDeleted, int64(n))
}
