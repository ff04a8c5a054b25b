package accounts

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"postfach/sasl"
)

// A scramVerifier is what SCRAM stores for a password (RFC 5802 section 3). It
// also tells whether a password is the right one.
type scramVerifier struct {
	hash       sasl.ScramHash
	iterations int
	salt       []byte
	keys       sasl.ScramKeys
}

// Bounds of the work factor. The lower one is SCRAM's (P3-SCRAM-03), the upper
// one keeps a slip of the hand from stopping the server.
const (
	minIterations = 4096
	maxIterations = 10_000_000
)

func parseScram(name, secret string) (verifier, error) {
	v := &scramVerifier{}
	if name == scramSHA1 {
		v.hash = sasl.SHA1
	}
	parts := strings.Split(secret, ",")
	if len(parts) != 4 {
		return nil, errors.New("expected iterations,salt,StoredKey,ServerKey")
	}
	var err error
	v.iterations, err = strconv.Atoi(parts[0])
	if err != nil || v.iterations < minIterations || v.iterations > maxIterations {
		return nil, fmt.Errorf("expected %d to %d iterations", minIterations, maxIterations)
	}
	for i, dst := range []*[]byte{&v.salt, &v.keys.StoredKey, &v.keys.ServerKey} {
		if *dst, err = base64.StdEncoding.Strict().DecodeString(parts[i+1]); err != nil {
			return nil, errors.New("expected base64 for salt, StoredKey and ServerKey")
		}
	}
	if size := v.hash.New().Size(); len(v.salt) == 0 || len(v.salt) > maxSalt || len(v.keys.StoredKey) != size || len(v.keys.ServerKey) != size {
		return nil, fmt.Errorf("expected a salt, and %d octets for each of StoredKey and ServerKey", size)
	}
	return v, nil
}

// newScram derives the keys of a password, which has been prepared (RFC 5802
// section 3).
func newScram(h sasl.ScramHash, password string, salt []byte, iterations int) (*scramVerifier, error) {
	// No account has an empty password, and a try with one costs what others do. HMAC
	// fills keys up with zeros, so this is the same.
	keys, err := sasl.NewScramKeys(h, cmp.Or(password, "\x00"), salt, iterations)
	if err != nil {
		return nil, err
	}
	return &scramVerifier{h, iterations, salt, keys}, nil
}

func (v *scramVerifier) matches(password string) bool {
	got, err := newScram(v.hash, password, v.salt, v.iterations)
	return err == nil && subtle.ConstantTimeCompare(got.keys.StoredKey, v.keys.StoredKey) == 1
}

// sameWork reports whether one derivation serves both.
func (v *scramVerifier) sameWork(o *scramVerifier) bool {
	return v.hash == o.hash && v.iterations == o.iterations && string(v.salt) == string(o.salt)
}

// String is Dovecot's form, without the scheme.
func (v *scramVerifier) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%d,%s,%s,%s", v.iterations, b64(v.salt), b64(v.keys.StoredKey), b64(v.keys.ServerKey))
}
