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
	who, err := s.checkDigest(name, digest)
	if err != nil {
		return s.loginFailed("APOP", name, err)
	}
	return s.login(who, "APOP")
}

// checkDigest compares in constant time (P3-APOP-07). Hexadecimal digits may be
// upper case.
func (s *session) checkDigest(name, digest string) (who Identity, err error) {
	name, err = sasl.PrepareName(name)
	if err != nil {
		return Identity{}, ErrCredentials
	}
	return s.checkSecret(s.srv.APOP, name, func(secret string) bool {
		want := pop3.APOPDigest(s.timestamp, secret)
		return subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(digest))) == 1
	})
}

// checkSecret asks a SecretSource whether a digest fits, which is computed for
// unknown names, too (P3-USR-10).
func (s *session) checkSecret(source SecretSource, name string, fits func(secret string) bool) (who Identity, err error) {
	err = s.attempt(name, "", func(ctx context.Context) error {
		owner, secret, err := source.Secret(ctx, s.peer(), name)
		same := fits(secret)
		if err != nil {
			return err
		}
		if !same || secret == "" {
			return ErrCredentials
		}
		who = owner
		return nil
	})
	return who, err
}
