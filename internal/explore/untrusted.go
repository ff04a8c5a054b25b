package explore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"postfach/internal/message"
	"postfach/internal/remotes"
)

// An UntrustedError says that the server could not prove who it is: nothing
// secret was sent to it. A person who knows the certificate can trust it by
// Account.Trust.
type UntrustedError struct {
	Pin         string // SHA-256 of Certificate, lower-case hexadecimal
	Certificate *x509.Certificate
	Err         error
}

// Error implements error.
func (e *UntrustedError) Error() string {
	return "the server could not prove who it is, and no password was sent to it: " + e.why()
}

// Unwrap returns what is wrong with the certificate.
func (e *UntrustedError) Unwrap() error { return e.Err }

// why is Err in plain words.
func (e *UntrustedError) why() string {
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](e.Err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](e.Err)
	name, otherName := errors.AsType[x509.HostnameError](e.Err)
	switch {
	case unknown:
		return "nobody whom this machine trusts has signed its certificate"
	case otherName:
		return fmt.Sprintf("its certificate is not for the name %s", message.PrintableLine(name.Host))
	case isInvalid && invalid.Reason == x509.Expired:
		const day = "2006-01-02"
		return fmt.Sprintf("its certificate is valid from %s to %s", e.Certificate.NotBefore.Format(day), e.Certificate.NotAfter.Format(day))
	}
	return message.PrintableLine(e.Err.Error())
}

// untrusted makes an UntrustedError of err where a certificate is the reason.
func untrusted(err error) error {
	wrong, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(wrong.UnverifiedCertificates) == 0 {
		return err
	}
	leaf := wrong.UnverifiedCertificates[0]
	return &UntrustedError{Pin: remotes.PinOf(leaf).String(), Certificate: leaf, Err: wrong.Err}
}
