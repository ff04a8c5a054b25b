package accounts

import (
	"context"
	"crypto/x509"
	"slices"

	"postfach/pop3server"
)

// Certificate implements pop3server.CertificateSource, for EXTERNAL. The account
// is the one that the client asks for, or else the first in the sources that says
// it has this certificate, or else the first name in the certificate that is an
// account (P3-EXT-03). It has to own the certificate in any case.
func (d *Directory) Certificate(ctx context.Context, p *pop3server.Peer, identity string) (pop3server.Identity, error) {
	cert := verified(p)
	if cert == nil {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	names := []string{identity}
	if identity == "" {
		names = d.candidates(cert)
	}
	for _, name := range names {
		e, _, err := d.find(withPeer(ctx, p), name)
		switch {
		case err != nil:
			return pop3server.Identity{}, err
		case e == nil:
			continue
		case !d.owns(e, p):
			return pop3server.Identity{}, pop3server.ErrCredentials
		}
		if refused := d.refuses(e, p); refused != "" {
			d.tell(e, p, refused)
			return pop3server.Identity{}, pop3server.ErrCredentials
		}
		return d.letIn(ctx, p, e, certificateCredential)
	}
	return pop3server.Identity{}, pop3server.ErrCredentials
}

// A certificateIndex is a Source that finds the account of a certificate.
type certificateIndex interface {
	// owner returns the user whose certificate has this fingerprint, or "".
	owner(fingerprint string) string
}

// candidates are the accounts that a certificate may belong to, most likely first.
func (d *Directory) candidates(cert *x509.Certificate) []string {
	var names []string
	for _, s := range d.Sources {
		if index, ok := s.(certificateIndex); ok {
			if user := index.owner(Fingerprint(cert)); user != "" {
				names = append(names, user)
			}
		}
	}
	return append(names, namesIn(cert)...)
}

// owns reports whether a peer has a certificate of this account's. An account that
// lists its certificates has no others.
func (d *Directory) owns(e *Entry, p *pop3server.Peer) bool {
	cert := verified(p)
	switch {
	case cert == nil:
		return false
	case len(e.Certificates) > 0:
		return slices.Contains(e.Certificates, Fingerprint(cert))
	}
	return d.CertificateNames && slices.Contains(namesIn(cert), e.User)
}

// verified returns the client's certificate. nil: there is none, or nobody has
// looked who signed it.
func verified(p *pop3server.Peer) *x509.Certificate {
	if p == nil || p.TLS == nil || len(p.TLS.VerifiedChains) == 0 || len(p.TLS.PeerCertificates) == 0 {
		return nil
	}
	return p.TLS.PeerCertificates[0]
}

// namesIn are the names in a certificate that users can have: e-mail addresses,
// then the common name. User names have no capital letters, so that two accounts
// cannot differ in nothing else.
func namesIn(cert *x509.Certificate) []string {
	var names []string
	for _, name := range append(slices.Clone(cert.EmailAddresses), cert.Subject.CommonName) {
		if name = SmallLetters(name); checkName(name) == nil {
			names = append(names, name)
		}
	}
	return names
}
