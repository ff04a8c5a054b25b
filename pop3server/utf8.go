package pop3server

import "context"

// utf8Command is UTF8 (RFC 6856 section 2). Messages go out as they are stored
// in either mode; the server parses no headers.
func (s *session) utf8Command(context.Context, []string) error {
	s.utf8 = true
	return s.ok(textUTF8)
}
