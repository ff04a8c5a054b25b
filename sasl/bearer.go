package sasl

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// A Bearer is what OAUTHBEARER and XOAUTH2 carry. No form of printing or logging
// it shows the token (P3-OAUTH-10).
type Bearer struct {
	User  string // whom the client wants to be, as sent; empty: whoever the token says
	Token string
	Host  string // that the client has connected to; empty: not said
	Port  int    // 0: not said
}

// String tells all but the token.
func (b Bearer) String() string {
	return fmt.Sprintf("bearer token of %q for %q port %d", b.User, b.Host, b.Port)
}

// Format implements fmt.Formatter: there are verbs that ask nobody.
func (b Bearer) Format(f fmt.State, _ rune) { io.WriteString(f, b.String()) }

// LogValue implements slog.LogValuer.
func (b Bearer) LogValue() slog.Value { return slog.StringValue(b.String()) }

// MarshalText is for JSON, among others, which log handlers write.
func (b Bearer) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Bounds of a message, in octets. Tokens with many groups in them have some
// thousands.
const (
	mostBearer = 16 << 10
	mostHost   = 255
)

// bearerToken takes the token out of the value of auth. The scheme is known in
// any case (P3-OAUTH-07).
func bearerToken(value string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(value, " ")
	token = strings.TrimLeft(token, " ")
	// All that RFC 6750 section 2.1 writes tokens with, and more.
	return token, strings.EqualFold(scheme, "Bearer") && token != "" && isGraphic(token)
}

// separator ends the pairs of a message, and an empty one the message. It is
// also the answer to a refusal (RFC 7628 section 3.1).
const separator = "\x01"

// pairs reads "key=value" pairs, each ended by a separator, with one more behind
// the last. A key that comes twice is an error: two readers could take different
// ones. Unknown keys are the caller's to ignore (P3-OAUTH-03).
func pairs(message string) (map[string]string, error) {
	body, ended := strings.CutSuffix(message, separator+separator)
	if !ended {
		return nil, ErrMessage
	}
	all := make(map[string]string)
	for pair := range strings.SplitSeq(body, separator) {
		key, value, found := strings.Cut(pair, "=")
		_, twice := all[key]
		if !found || key == "" || twice {
			return nil, ErrMessage
		}
		all[key] = value
	}
	return all, nil
}

// A bearerServer is what both mechanisms have in common.
type bearerServer struct {
	parse   func(message string) (Bearer, error)
	tell    func(*TokenError) []byte
	check   func(Bearer) error
	asked   bool
	refusal error // that the client has been told of
}

func (s *bearerServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case s.refusal != nil: // whatever the answer is (P3-OAUTH-05, P3-OAUTH-08)
		return nil, false, s.refusal
	case response == nil && !s.asked: // P3-AUTH-10
		s.asked = true
		return nil, false, nil
	case len(response) > mostBearer:
		return nil, false, ErrMessage
	}
	s.asked = true
	b, err := s.parse(string(response))
	if err != nil || !acceptable(b.User) {
		return nil, false, ErrMessage
	}
	if err := s.check(b); err != nil {
		s.refusal = err
		return s.tell(tokenError(err)), false, nil
	}
	return nil, true, nil
}

// A bearerClient is what both mechanisms have in common. It holds the Bearer by
// pointer, so that %v shows an address.
type bearerClient struct {
	mechanism string
	bearer    *Bearer
	message   func(Bearer) string
	answer    string // to a refusal
	refusal   *TokenError
}

func (c *bearerClient) Start() (mech string, ir []byte, err error) {
	// A server may call anything a token that does not end the field.
	fields := []string{c.bearer.User, c.bearer.Host, c.bearer.Token}
	if c.bearer.Token == "" || !sendable(fields...) || strings.Contains(strings.Join(fields, ""), separator) {
		return "", nil, ErrCredential
	}
	return c.mechanism, []byte(c.message(*c.bearer)), nil
}

// Next hears why the token is of no use. There is no other challenge.
func (c *bearerClient) Next(challenge []byte) ([]byte, error) {
	if c.refusal != nil {
		return nil, ErrMessage
	}
	c.refusal = parseTokenError(challenge, c.bearer.Token)
	return []byte(c.answer), nil
}

// Refusal implements Refusable.
func (c *bearerClient) Refusal() *TokenError { return c.refusal }

// Finished implements Prover: who has refused the token cannot have let in.
func (c *bearerClient) Finished() bool { return c.refusal == nil }
