package accounts

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// Fingerprint is what the file has of a certificate: the SHA-256 of its DER form, in
// lower-case hexadecimal digits.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// ParseFingerprint reads a fingerprint as openssl prints it, or in small letters.
func ParseFingerprint(text string) (string, error) {
	hexadecimal := strings.ToLower(strings.ReplaceAll(text, ":", ""))
	if sum, err := hex.DecodeString(hexadecimal); err != nil || len(sum) != sha256.Size {
		return "", hint.Add(errors.New("expected the SHA-256 of a certificate"), "openssl x509 -in FILE -noout -fingerprint -sha256")
	}
	return hexadecimal, nil
}

// addCertificate takes the value of a field cert=.
func (a *account) addCertificate(value string) error {
	f, err := ParseFingerprint(value)
	if err != nil {
		return fmt.Errorf("%s=: %w", certField, err)
	}
	a.Certificates = append(a.Certificates, f)
	return nil
}

// AddCertificate says that a client certificate is an account's. ErrNoUser,
// ErrCertificateExists: there is no such account, or it has this one.
func (e Editor) AddCertificate(user, fingerprint string) error {
	f, err := ParseFingerprint(fingerprint)
	if err != nil {
		return err
	}
	return e.change(user, func(line string) (string, error) {
		a, err := parseLine(line)
		switch {
		case err != nil:
			return "", err
		case slices.Contains(a.Certificates, f):
			return "", fmt.Errorf("certificate %s of %s: %w", f, user, ErrCertificateExists)
		}
		return withExtras(line, append(extraFields(splitLine(line)), certField+"="+f)), nil
	})
}

// RemoveCertificate takes a client certificate away: from now on nobody logs in with it.
// left is how many the account has still. ErrNoUser, ErrNoCertificate: there is no such
// account, or it has no such certificate.
func (e Editor) RemoveCertificate(user, fingerprint string) (left int, err error) {
	f, err := ParseFingerprint(fingerprint)
	if err != nil {
		return 0, err
	}
	return left, e.change(user, func(line string) (string, error) {
		left = 0
		extra := slices.DeleteFunc(extraFields(splitLine(line)), func(field string) bool {
			key, value, _ := strings.Cut(field, "=")
			if key != certField {
				return false
			}
			if other, err := ParseFingerprint(value); err == nil && other == f {
				return true
			}
			left++
			return false
		})
		if len(extra) == len(extraFields(splitLine(line))) {
			return "", fmt.Errorf("certificate %s of %s: %w", f, user, ErrNoCertificate)
		}
		return withExtras(line, extra), nil
	})
}
