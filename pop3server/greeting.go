package pop3server

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"postfach/internal/popwire"
)

// greet sends the first line; with implicit TLS, inside it (P3-GRT-01,
// P3-GRT-12).
func (s *session) greet(ctx context.Context) error {
	if s.tls != nil {
		if err := s.handshake(ctx); err != nil {
			return err
		}
	}
	text := cmp.Or(s.srv.Greeting, textReady)
	if s.srv.APOP != nil && s.srv.APOP.Available() { // P3-GRT-05
		s.timestamp = s.srv.newTimestamp()
		text += " " + s.timestamp
	}
	return s.reply(popwire.Reply{OK: true, Text: text})
}

// newTimestamp returns a msg-id that no greeting had before, made of what even
// old clients take for one (P3-GRT-03, P3-GRT-04).
func (s *Server) newTimestamp() string {
	host := cmp.Or(s.Hostname, "localhost")
	return fmt.Sprintf("<%d.%d.%s@%s>", os.Getpid(), time.Now().Unix(), rand.Text(), host)
}
