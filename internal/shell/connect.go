package shell

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"

	"postfach/internal/explain"
	"postfach/internal/popwire"
	"postfach/pop3"
)

// connect goes as far as the person's first line: the greeting, in TLS where
// that was asked for.
func (s *session) connect(ctx context.Context) error {
	conn, err := dial(ctx, &s.o)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConnect, err)
	}
	s.wire = conn
	words := s.screen.words()
	s.screen.say(fmt.Sprintf(words.connected, s.o.Target.Addr()), faint)
	if s.o.Target.Security == TLS {
		if err := conn.handshake(ctx, tlsConfig(&s.o)); err != nil {
			s.showUntrusted(err)
			return fmt.Errorf("%w: TLS: %w", ErrConnect, err)
		}
		s.showTLS()
	}
	line, err := s.hearLine(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConnect, err)
	}
	note := s.showServer(line)
	reply, err := popwire.ParseReply([]byte(line), popwire.Lenient)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrConnect, s.hangup(err))
	case note.Refused || !reply.OK:
		return fmt.Errorf("%w: %w", ErrConnect, s.hangup(&pop3.Error{Code: reply.Code, Text: reply.Text}))
	}
	s.stamp, _ = pop3.Timestamp(reply.Text)
	switch {
	case s.o.Target.Security == STLS:
		return s.requireTLS(ctx)
	case !conn.secure && !conn.local:
		s.screen.say(words.clear, warning)
	}
	return nil
}

// requireTLS says STLS. There is no way on without TLS (P3-TLS-10).
func (s *session) requireTLS(ctx context.Context) error {
	if err := s.send([]byte("STLS"), "STLS"); err != nil {
		return fmt.Errorf("%w: %w", ErrConnect, err)
	}
	if err := s.hear(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrConnect, err)
	}
	if !s.wire.secure {
		return fmt.Errorf("%w: %w", ErrConnect, s.hangup(ErrNoSTLS))
	}
	return nil
}

// startTLS begins TLS: the server has agreed to STLS. What was said in clear is
// forgotten (P3-TLS-08, P3-APOP-09) and the capabilities are asked for anew.
func (s *session) startTLS(ctx context.Context) error {
	words := s.screen.words()
	switch {
	case s.wire.secure:
		s.screen.say(words.tlsTwice, warning)
		return s.hangup(fmt.Errorf("%w: STLS inside TLS", ErrLost))
	case s.wire.r.Buffered() > 0:
		// They would be read as if they had come through TLS: somebody on the
		// way tries just that (P3-TLS-07).
		s.screen.say(fmt.Sprintf(words.injection, s.wire.r.Buffered()), warning)
		return s.hangup(fmt.Errorf("%w: octets between +OK and the handshake", ErrLost))
	}
	if err := s.wire.handshake(ctx, tlsConfig(&s.o)); err != nil {
		s.screen.say(fmt.Sprintf(words.handshake, err), warning)
		s.showUntrusted(err)
		return s.hangup(fmt.Errorf("%w: TLS: %w", ErrLost, err))
	}
	s.caps, s.stale, s.stamp = nil, s.stamp != "", ""
	s.showTLS()
	if err := s.send([]byte("CAPA"), "CAPA"); err != nil {
		return err
	}
	strict := s.o.Strict
	s.o.Strict = false // nobody asked for CAPA: a server without it breaks no script
	defer func() { s.o.Strict = strict }()
	return s.hear(ctx)
}

// showTLS says that TLS is on, and with what.
func (s *session) showTLS() {
	s.traceTLS()
	note := s.talk.tls()
	if note.Meaning == "" {
		note.Place = explain.Event
	}
	s.screen.event(note)
	conn, ok := s.wire.conn.(*tls.Conn)
	if !ok {
		return
	}
	state := conn.ConnectionState()
	text := tls.VersionName(state.Version) + ", " + tls.CipherSuiteName(state.CipherSuite)
	if len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		text += ", " + fmt.Sprintf(s.screen.words().certificate, leaf.Subject.String(), leaf.NotAfter.Format("2006-01-02"))
	}
	s.screen.say(text, faint)
}

// showUntrusted shows the certificate that is not trusted, where one is the
// reason that there is no TLS.
func (s *session) showUntrusted(err error) {
	wrong, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(wrong.UnverifiedCertificates) == 0 {
		return
	}
	leaf := wrong.UnverifiedCertificates[0]
	s.screen.say(fmt.Sprintf(s.screen.words().untrusted, visible(leaf.Subject.String()), visible(leaf.Issuer.String()),
		leaf.NotAfter.Format("2006-01-02"), fmt.Sprintf("%x", sha256.Sum256(leaf.Raw))), warning)
}
