package pop3server

import "context"

// rset is RSET: no message is marked any more, and LAST is 0 again
// (P3-RSET-01, P3-LAST-04).
func (s *session) rset(context.Context, []string) error {
	s.box.reset()
	return s.sayListing()
}
