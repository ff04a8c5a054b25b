package shell

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"postfach/internal/popwire"
)

// secrets are what was said on the way to a login. A server may repeat it; the
// screen and the log must not.
type secrets []string

// shortSecret is the length below which a secret would show itself by the gaps
// that it leaves.
const shortSecret = 4

// longSecret is the length from which on a secret is still hidden in the answer to
// the line behind it. A shorter one could be the number of a message.
const longSecret = 6

// keep remembers a secret, also as SASL carries it.
func (s *secrets) keep(secret string) {
	if len(secret) >= shortSecret {
		*s = append(*s, secret, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
}

// keepLine remembers what is hidden of a line: it may be a password that was
// typed at the wrong moment, or with a slip of the hand.
func (s *secrets) keepLine(line, shown string) {
	s.keep(line) // all of it: a short secret in it, too
	s.keep(strings.TrimPrefix(line, strings.TrimSuffix(shown, popwire.Secret)))
	if _, rest, ok := strings.Cut(line, " "); ok {
		s.keep(rest)
	}
}

// keepResponse remembers a response of SASL, in base64, and the password or token
// in it: the last field of PLAIN, or what follows "auth=Bearer ".
func (s *secrets) keepResponse(response string) {
	s.keep(response)
	octets, ok := popwire.DecodeBase64(response)
	if !ok {
		return
	}
	s.keep(string(octets))
	for _, field := range bytes.FieldsFunc(octets, func(r rune) bool { return r <= 1 }) {
		s.keep(string(bytes.TrimPrefix(field, []byte("auth=Bearer "))))
	}
}

// forget is called when the next line is typed. The server may still repeat the
// one before, in a line that nobody has read yet: those that are long enough not
// to be in an answer by chance are returned.
func (s *secrets) forget() (long secrets) {
	for _, secret := range *s {
		if len(secret) >= longSecret {
			long = append(long, secret)
		}
	}
	*s = nil
	return long
}

// hide replaces them, longer ones first: one may be part of another.
func (s secrets) hide(text string) string {
	if len(s) == 0 {
		return text
	}
	var pairs []string
	for _, secret := range slices.Backward(slices.SortedFunc(slices.Values(s), func(a, b string) int { return len(a) - len(b) })) {
		pairs = append(pairs, secret, popwire.Secret)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
