package pop3server

import (
	"context"
	"crypto/subtle"
	"errors"
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
	who, err := s.checkSecret(s.srv.APOP, name, func(secret string) bool { // hexadecimal digits may be upper case
		want := pop3.APOPDigest(s.timestamp, secret)
		return subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(digest))) == 1 // P3-APOP-07
	})
	if err != nil {
		return s.loginFailed("APOP", name, err)
	}
	return s.login(who, "APOP")
}

// checkSecret asks a SecretSource, with the name prepared, whether a digest fits,
// which is computed for unknown names, too (P3-USR-10).
func (s *session) checkSecret(source SecretSource, name string, fits func(secret string) bool) (Identity, error) {
	name, err := sasl.PrepareName(name)
	if err != nil {
		return Identity{}, ErrCredentials
	}
	return s.attempt(name, "", func(ctx context.Context) (Identity, error) {
		who, secret, err := source.Secret(ctx, s.peer(), name)
		right := fits(secret) && secret != ""
		var refused *RefusedError
		switch {
		case errors.As(err, &refused) && right:
			refused.Tell()
		case err == nil && !right:
			err = ErrCredentials
		}
		return who, err
	})
}
