package remotes

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
)

// A Pin is the SHA-256 of a certificate. The zero value names none.
type Pin []byte

// PinOf returns the pin of a certificate.
func PinOf(c *x509.Certificate) Pin {
	sum := sha256.Sum256(c.Raw)
	return sum[:]
}

// ParsePin reads hexadecimal digits, with or without colons and spaces. Nothing
// is no pin.
func ParsePin(s string) (Pin, error) {
	if s == "" {
		return nil, nil
	}
	pin, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(s))
	if err != nil || len(pin) != sha256.Size {
		return nil, errors.New("a pin is the 64 hexadecimal digits of a SHA-256")
	}
	return pin, nil
}

// String returns lower-case hexadecimal digits.
func (p Pin) String() string { return hex.EncodeToString(p) }

// Apply makes conf trust the certificate of the pin and no other. The pin
// replaces chain, name and dates: it names this one certificate.
func (p Pin) Apply(conf *tls.Config) {
	if len(p) == 0 {
		return
	}
	conf.InsecureSkipVerify = true
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		if shown := PinOf(state.PeerCertificates[0]); subtle.ConstantTimeCompare(shown, p) != 1 {
			return &PinError{Want: p, Got: shown}
		}
		return nil
	}
}

// A PinError says that the server showed another certificate than the pin is of.
type PinError struct{ Want, Got Pin }

// Error implements error.
func (e *PinError) Error() string {
	return "the certificate is another one than the pin says, perhaps that of somebody else's server: its pin is " + e.Got.String()
}
