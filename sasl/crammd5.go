package sasl

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 is what it says
	"encoding/hex"
	"errors"
	"strings"
)

type cramMD5Client struct {
	*login
	asked bool
}

// NewCramMD5Client returns CRAM-MD5's client end (RFC 2195). The server proves
// nothing in it, and who hears an exchange can guess the secret at leisure.
func NewCramMD5Client(user, secret string) Client {
	return &cramMD5Client{login: &login{user, secret}}
}

func (c *cramMD5Client) Start() (mech string, ir []byte, err error) { return CramMD5, nil, nil }

func (c *cramMD5Client) Next(challenge []byte) ([]byte, error) {
	if c.asked || len(challenge) == 0 {
		return nil, ErrMessage
	}
	c.asked = true
	user, userErr := PrepareName(c.user)
	secret, secretErr := PreparePassword(c.password)
	if err := errors.Join(userErr, secretErr); err != nil {
		return nil, err
	}
	return []byte(user + " " + cramDigest(secret, string(challenge))), nil
}

type cramMD5Server struct {
	challenge string
	check     func(name string, fits func(secret string) bool) error
	asked     bool
}

// NewCramMD5Server returns CRAM-MD5's server end. challenge is a msg-id that was
// never used before. check gets the name, which is not prepared, and a function
// that says whether the digest is that of a secret, in constant time. Its error
// is what Next returns.
func NewCramMD5Server(challenge string, check func(name string, fits func(secret string) bool) error) Server {
	return &cramMD5Server{challenge: challenge, check: check}
}

func (s *cramMD5Server) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && !s.asked {
		s.asked = true
		return []byte(s.challenge), false, nil
	}
	i := strings.LastIndexByte(string(response), ' ') // P3-CRAM-02
	if !s.asked || i < 1 {                            // P3-AUTH-13
		return nil, false, ErrMessage
	}
	name, digest := string(response[:i]), response[i+1:]
	if len(digest) != hex.EncodedLen(md5.Size) || !acceptable(name) {
		return nil, false, ErrMessage
	}
	fits := func(secret string) bool { return hmac.Equal(digest, []byte(cramDigest(secret, s.challenge))) }
	return nil, true, s.check(name, fits)
}

// cramDigest is lower-case hexadecimal (P3-CRAM-01).
func cramDigest(secret, challenge string) string {
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write([]byte(challenge))
	return hex.EncodeToString(mac.Sum(nil))
}
