package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
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
	key []byte

	mu        sync.Mutex // guards what follows
	good, bad map[[32]byte]remembered
}

// remembered is whose a token is.
type remembered struct {
	name  string
	until time.Time
}

func newCache() *cache {
	c := &cache{key: make([]byte, 32), good: map[[32]byte]remembered{}, bad: map[[32]byte]remembered{}}
	rand.Read(c.key)
	return c
}

func (c *cache) sum(token string) [32]byte {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(token))
	return [32]byte(mac.Sum(nil))
}

// find returns what is known of a token. An empty name: it is bad.
func (c *cache) find(token string, now time.Time) (name string, known bool) {
	sum := c.sum(token)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, answers := range []map[[32]byte]remembered{c.good, c.bad} {
		if r, ok := answers[sum]; ok && now.Before(r.until) {
			return r.name, true
		}
	}
	return "", false
}

// add takes note of a token. Never is a good one good for longer than it says;
// expires is zero when it does not say.
func (c *cache) add(token, name string, now, expires time.Time) {
	answers, until := c.good, now.Add(goodFor)
	if name == "" {
		answers, until = c.bad, now.Add(badFor)
	}
	if !expires.IsZero() && expires.Before(until) {
		until = expires
	}
	if !now.Before(until) {
		return
	}
	sum := c.sum(token)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(answers) >= maxCached {
		forget(answers, now)
	}
	answers[sum] = remembered{name, until}
}

// forget makes room: what is over goes, and if that is little, any others.
func forget(answers map[[32]byte]remembered, now time.Time) {
	for sum, r := range answers {
		if !now.Before(r.until) {
			delete(answers, sum)
		}
	}
	for sum := range answers {
		if len(answers) < maxCached*9/10 {
			return
		}
		delete(answers, sum)
	}
}
