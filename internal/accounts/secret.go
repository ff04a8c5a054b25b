package accounts

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // SCRAM-SHA-1 is only read
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"postfach/internal/hint"
)

// A verifier checks one password, in a time that depends on the verifier only.
type verifier interface {
	matches(password string) bool
}

// The schemes that are written. Others are only read.
const (
	ScramSHA256 = "SCRAM-SHA-256"
	Argon2id    = "ARGON2ID"
)

// parseSecret understands "{SCHEME}secret". Its errors never have any of the
// secret in them.
func parseSecret(field string) (scheme string, v verifier, err error) {
	rest, ok := strings.CutPrefix(field, "{")
	scheme, secret, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return "", nil, hint.Add(errors.New("expected {SCHEME} before the secret"), "set the password anew with postfach user passwd")
	}
	scheme = strings.ToUpper(scheme)
	switch scheme {
	case ScramSHA256:
		v, err = parseScram(secret, sha256.New)
	case "SCRAM-SHA-1":
		v, err = parseScram(secret, sha1.New)
	case "CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "ARGON2I", Argon2id:
		v, err = parseCrypt(scheme, secret)
	default:
		if len(scheme) > 32 {
			scheme = scheme[:32]
		}
		return "", nil, hint.Add(fmt.Errorf("scheme %q is unknown, or too weak", scheme),
			"set the password anew with postfach user passwd, which writes %s", ScramSHA256)
	}
	if err != nil {
		return "", nil, fmt.Errorf("scheme %s: %w", scheme, err)
	}
	return scheme, v, nil
}

// A scramVerifier is what SCRAM stores for a password (RFC 5802 section 3). It
// also tells whether a password is the right one.
type scramVerifier struct {
	hash                       func() hash.Hash
	iterations                 int
	salt, storedKey, serverKey []byte
}

// Bounds of the work factor. The lower one is SCRAM's (P3-SCRAM-03), the upper
// one keeps a slip of the hand from stopping the server.
const (
	minIterations = 4096
	maxIterations = 10_000_000
)

func parseScram(secret string, h func() hash.Hash) (verifier, error) {
	parts := strings.Split(secret, ",")
	if len(parts) != 4 {
		return nil, errors.New("expected iterations,salt,StoredKey,ServerKey")
	}
	iterations, err := strconv.Atoi(parts[0])
	if err != nil || iterations < minIterations || iterations > maxIterations {
		return nil, fmt.Errorf("expected %d to %d iterations", minIterations, maxIterations)
	}
	v := &scramVerifier{hash: h, iterations: iterations}
	for i, dst := range []*[]byte{&v.salt, &v.storedKey, &v.serverKey} {
		if *dst, err = base64.StdEncoding.Strict().DecodeString(parts[i+1]); err != nil {
			return nil, errors.New("expected base64 for salt, StoredKey and ServerKey")
		}
	}
	if size := h().Size(); len(v.salt) == 0 || len(v.storedKey) != size || len(v.serverKey) != size {
		return nil, fmt.Errorf("expected a salt, and %d octets for each of StoredKey and ServerKey", h().Size())
	}
	return v, nil
}

func newScram(password string, h func() hash.Hash, iterations int, salt []byte) (*scramVerifier, error) {
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		return nil, err
	}
	stored := h()
	stored.Write(keyed(h, salted, "Client Key"))
	return &scramVerifier{h, iterations, salt, stored.Sum(nil), keyed(h, salted, "Server Key")}, nil
}

func keyed(h func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (v *scramVerifier) matches(password string) bool {
	got, err := newScram(password, v.hash, v.iterations, v.salt)
	return err == nil && subtle.ConstantTimeCompare(got.storedKey, v.storedKey) == 1
}

// String is Dovecot's form, without the scheme.
func (v *scramVerifier) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%d,%s,%s,%s", v.iterations, b64(v.salt), b64(v.storedKey), b64(v.serverKey))
}
