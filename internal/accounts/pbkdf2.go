package accounts

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // Dovecot's PBKDF2 has it
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"sync"
)

// pbkdf2Form is Dovecot's PBKDF2: "$1$salt$rounds$digest".
var pbkdf2Form = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\$1\$([^$]{1,64})\$([1-9][0-9]{0,7})\$([0-9a-fA-F]{40})$`)
})

// A pbkdf2Verifier is PBKDF2 with HMAC-SHA-1 (RFC 8018).
type pbkdf2Verifier struct {
	salt   []byte
	rounds int
	sum    []byte
}

func parsePBKDF2(_, secret string) (verifier, error) {
	m := pbkdf2Form().FindStringSubmatch(secret)
	if m == nil {
		return nil, errors.New("expected $1$salt$rounds$digest")
	}
	rounds, err := strconv.Atoi(m[2])
	if err != nil || rounds > maxIterations {
		return nil, errors.New("expected at most 10000000 rounds")
	}
	sum, err := hex.DecodeString(m[3])
	if err != nil {
		return nil, errors.New("expected a digest in hexadecimal digits")
	}
	return &pbkdf2Verifier{[]byte(m[1]), rounds, sum}, nil
}

func (v *pbkdf2Verifier) matches(password string) bool {
	got, err := pbkdf2.Key(sha1.New, password, v.salt, v.rounds, len(v.sum))
	return err == nil && subtle.ConstantTimeCompare(got, v.sum) == 1
}
