package shell

import (
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

// keep remembers a secret, also as SASL carries it.
func (s *secrets) keep(secret string) {
	if len(secret) >= shortSecret {
		*s = append(*s, secret, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
}

// forget is called when the reply is complete.
func (s *secrets) forget() { *s = nil }

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
