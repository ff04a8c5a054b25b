package pop3server

import "context"

// noop is NOOP.
func (s *session) noop(context.Context, []string) error { return s.ok(textNoop) }
