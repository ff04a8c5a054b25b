package accounts

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A cache remembers which passwords were right, so that clients that ask for new
// mail each minute do not cost a slow hash each time. It holds no password: only
// HMACs of everything that decides, under a key that nobody else has and that is
// gone with the process. The account is looked up all the same, and its
// credential's version has to be what it was: a changed password, a closed account
// and a new policy hold at once.
type cache struct {
	key []byte

	mu    sync.Mutex // guards what follows
	right map[[32]byte]remembered
}

// remembered says which credential a password fitted, and until when that may be
// believed.
type remembered struct {
	credential [32]byte // its name and version
	until      time.Time
}

const (
	cacheTime = 5 * time.Minute
	// unversioned is for passwords of which nobody hears that they have changed.
	unversioned = 30 * time.Second
	// maxCached is how many are remembered: some 150 octets each.
	maxCached = 10_000
)

func newCache() *cache {
	return &cache{key: NewKey(), right: map[[32]byte]remembered{}}
}

func (c *cache) try(e *Entry, password string) [32]byte {
	return [32]byte(hmacSHA256(c.key, "try", strconv.Itoa(e.source), e.asked, password))
}

func (c *cache) credential(of Credential) [32]byte {
	known := "known"
	if of.Version == nil {
		known = "unknown"
	}
	return [32]byte(hmacSHA256(c.key, "credential", of.Name, known, string(of.Version)))
}

// find returns the index of the credential that a password was right for a short
// time ago, or -1. How many there are does not show in the work for a password
// that was not.
func (c *cache) find(e *Entry, of []Credential, password string) int {
	key := c.try(e, password)
	c.mu.Lock()
	r, ok := c.right[key]
	c.mu.Unlock()
	if !ok || !time.Now().Before(r.until) {
		return -1
	}
	return slices.IndexFunc(of, func(one Credential) bool { return c.credential(one) == r.credential })
}

// add takes note of a password that was right.
func (c *cache) add(e *Entry, of Credential, password string) {
	lifetime := cacheTime
	if of.Version == nil {
		lifetime = unversioned
	}
	now := time.Now()
	key, r := c.try(e, password), remembered{c.credential(of), now.Add(lifetime)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.right) >= maxCached {
		c.forget(now)
	}
	c.right[key] = r
}

// forget makes room: what is over goes, and if that is little, any others.
func (c *cache) forget(now time.Time) {
	maps.DeleteFunc(c.right, func(_ [32]byte, r remembered) bool { return !now.Before(r.until) })
	for key := range c.right {
		if len(c.right) < maxCached*9/10 {
			return
		}
		delete(c.right, key)
	}
}
