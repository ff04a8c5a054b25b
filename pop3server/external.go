package pop3server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"postfach/sasl"
)

// externalRefusal is nil on connections on which the client has shown a
// certificate that was verified. That alone logs nobody in (P3-EXT-02).
func (s *session) externalRefusal() error {
	if s.srv.Certificates == nil {
		return noMechanism()
	}
	if err := s.inClear(); err != nil {
		return err
	}
	if len(s.peer().TLS.VerifiedChains) == 0 {
		return &refusal{text: textNoCertShown} // P3-EXT-03
	}
	return nil
}

// beginExternal is EXTERNAL (RFC 4422 appendix A).
func (s *session) beginExternal(x *exchange) sasl.Server {
	return sasl.NewExternalServer(func(identity string) error {
		x.name = identity
		if identity == "" {
			x.name = s.peer().TLS.VerifiedChains[0][0].Subject.CommonName
		}
		return x.decide(s.checkCertificate(identity))
	})
}

// certificateValues says which certificate a failed EXTERNAL was tried with, in the
// form of the accounts' cert fields: whoever keeps accounts has to find it there.
func (s *session) certificateValues(mechanism string) []any {
	if mechanism != sasl.External {
		return nil
	}
	shown := s.peer().TLS.VerifiedChains[0][0] // externalRefusal has looked
	sum := sha256.Sum256(shown.Raw)
	return []any{"cert", hex.EncodeToString(sum[:]), "subject", loggable(shown.Subject.String())}
}

// checkCertificate asks the CertificateSource, with the identity prepared.
func (s *session) checkCertificate(identity string) (Identity, error) {
	identity, err := prepareIdentity(identity)
	if err != nil {
		return Identity{}, err
	}
	return s.attempt(identity, "", func(ctx context.Context) (Identity, error) {
		return s.srv.Certificates.Certificate(ctx, s.peer(), identity)
	})
}
