package pop3server

import "context"

// rset is RSET: no message is marked any more, and LAST is 0 again
// (P3-RSET-01, P3-LAST-04).
func (s *session) rset(context.Context, []string) error {
	clear(s.box.mark)
	s.box.last = 0
	return s.sayListing()
}
