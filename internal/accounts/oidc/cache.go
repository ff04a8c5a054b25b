package oidc

import (
	"time"

	"postfach/internal/accounts"
)

// How long an answer is believed, and how many are kept, of each kind: so long
// does a token live that the issuer takes back.
const (
	goodFor   = time.Minute
	badFor    = 10 * time.Second
	maxCached = 4096
)

// A cache remembers what tokens were found to be. It holds no token, and strangers
// with bad ones drive no good one out of it.
type cache struct {
	good *accounts.Memory[string] // whose they are
	bad  *accounts.Memory[struct{}]
}

func newCache() *cache {
	return &cache{accounts.NewMemory[string](maxCached), accounts.NewMemory[struct{}](maxCached)}
}

// find returns what is known of a token. An empty name: it is bad.
func (c *cache) find(token string, now time.Time) (name string, known bool) {
	if name, known = c.good.Find(now, token); known {
		return name, true
	}
	_, known = c.bad.Find(now, token)
	return "", known
}

// add takes note of a token. Never is a good one good for longer than it says;
// expires is zero when it does not say. An empty name: it is bad.
func (c *cache) add(token, name string, now, expires time.Time) {
	if name == "" {
		c.bad.Add(struct{}{}, now, now.Add(badFor), token)
		return
	}
	until := now.Add(goodFor)
	if !expires.IsZero() && expires.Before(until) {
		until = expires
	}
	if now.Before(until) {
		c.good.Add(name, now, until, token)
	}
}
