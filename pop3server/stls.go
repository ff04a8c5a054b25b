package pop3server

import (
	"context"
	"crypto/tls"

	"postfach/pop3"
)

// stlsRefusal is nil while STLS is permitted.
func (s *session) stlsRefusal() error {
	switch {
	case s.srv.tlsConfig == nil:
		return &refusal{text: textNoTLS} // P3-TLS-12
	case s.tls != nil:
		return &refusal{text: textTLSActive} // P3-TLS-04
	case s.state != pop3.Authorization:
		return &refusal{text: textWrongState} // P3-TLS-03
	case s.utf8:
		return &refusal{text: textNoSTLSAfter} // P3-TLS-22
	}
	return nil
}

// stls is STLS (RFC 2595 section 4). The session begins again: new buffers,
// and nothing that was said in clear is known any more (P3-TLS-06, P3-TLS-09).
func (s *session) stls(ctx context.Context, _ []string) error {
	if err := s.stlsRefusal(); err != nil {
		return err
	}
	if s.r.Buffered() > 0 { // somebody wants these octets to run inside TLS
		if err := s.refuse(&refusal{text: textInjected}); err != nil {
			return err
		}
		return &endError{endInjected, nil}
	}
	if err := s.ok(textBeginTLS); err != nil {
		return err
	}
	if err := s.w.Flush(); err != nil {
		return &endError{endHangup, err}
	}
	s.name, s.timestamp, s.lang = "", "", s.srv.language
	s.useTLS()
	return s.handshake(ctx)
}

// useTLS puts TLS over the connection; the handshake comes later.
func (s *session) useTLS() {
	s.wire = &wire{tlsInput: newTLSInput(s.raw, s.room)}
	s.tls = tls.Server(s.wire, s.srv.tlsConfig)
	s.conn = s.tls
	s.newBuffers()
}

// handshake has until the login deadline.
func (s *session) handshake(ctx context.Context) error {
	s.raw.SetDeadline(s.loginBy)
	if s.srv.draining() { // as in readLine
		return &endError{endShutdown, nil}
	}
	if err := apart(func() error { return s.tls.HandshakeContext(ctx) }); err != nil {
		s.lookForHeaderInTLS(err)
		return &endError{endTLS, brief{err}}
	}
	s.wire.shaken = true
	s.other = nil // there is more to know now
	s.traceTLS()
	return nil
}

// A brief error is one in which a client may have many words: all the protocols that
// it wants to speak, for one.
type brief struct{ error }

func (e brief) Error() string {
	const most = 200
	text := e.error.Error()
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

func (e brief) Unwrap() error { return e.error }

// serverTLS is the operator's configuration with what POP3 adds to it: TLS 1.2
// at least, with ECDHE and AEAD only (P3-TLS-02); the ALPN name (P3-TLS-23);
// a record for each piece that is written, so that the end of a message and its
// terminator share one; and the memory of which certificate was shown. Whether
// client certificates are asked for is the operator's word (P3-EXT-01). What a
// function of the operator's chooses for one client gets the same.
func serverTLS(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	if c.CipherSuites == nil {
		c.CipherSuites = []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		}
	}
	c.NextProtos = []string{pop3.ALPN}
	c.DynamicRecordSizingDisabled = true
	rememberCertificate(c)
	if choose := c.GetConfigForClient; choose != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(aboveWire(hello))
			if chosen == nil || err != nil { // nil: the one that there is
				return nil, err
			}
			return serverTLS(chosen), nil
		}
	}
	return c
}
