package pop3server

import (
	"context"
	"crypto/subtle"
	"strings"

	"postfach/pop3"
	"postfach/sasl"
)

// apopWorks reports whether the greeting had a timestamp that still holds: one
// from before STLS does not (P3-APOP-05, P3-APOP-09).
func (s *session) apopWorks() bool { return s.timestamp != "" }

// apop is APOP (RFC 1939 section 7).
func (s *session) apop(_ context.Context, args []string) error {
	i := strings.LastIndexByte(args[0], ' ')
	if i < 1 {
		return &refusal{text: textUsage, args: []any{"APOP", "name digest"}, bad: true} // P3-APOP-03
	}
	name, digest := args[0][:i], args[0][i+1:]
	user, err := s.checkDigest(name, digest)
	if err != nil {
		return s.loginFailed("APOP", name, err)
	}
	return s.login(user, "APOP")
}

// checkDigest compares in constant time, and computes a digest for unknown
// names, too (P3-APOP-07, P3-USR-10). Hexadecimal digits may be upper case.
func (s *session) checkDigest(name, digest string) (user string, err error) {
	name, err = sasl.PrepareName(name)
	if err != nil {
		return "", ErrCredentials
	}
	ctx, cancel := s.loginContext()
	defer cancel()
	user, secret, err := s.srv.APOP.Secret(ctx, name)
	want := pop3.APOPDigest(s.timestamp, secret)
	same := subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(digest))) == 1
	if err != nil {
		return "", err
	}
	if !same || secret == "" {
		return "", ErrCredentials
	}
	return user, nil
}
