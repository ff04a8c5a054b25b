package accounts

import (
	"slices"
	"strconv"
	"time"
)

// A cache remembers which passwords were right, so that clients that ask for new
// mail each minute do not cost a slow hash each time. It holds no password. The
// account is looked up all the same, and its credential's version has to be what it
// was: a changed password, a closed account and a new policy hold at once.
type cache struct {
	right *Memory[[32]byte] // the credential that a password fitted: its name, whose it is, and its version
}

const (
	cacheTime = 5 * time.Minute
	// unversioned is for passwords of which nobody hears that they have changed.
	unversioned = 30 * time.Second
	// maxCached is how many are remembered: some 150 octets each.
	maxCached = 10_000
)

func newCache() *cache { return &cache{NewMemory[[32]byte](maxCached)} }

// attempt is what is asked: everything that decides, and so the account that the name
// leads to, too: in a moment it may be another one.
func attempt(e *Entry, password string) []string {
	return []string{"try", strconv.Itoa(e.source), e.asked, e.User, password}
}

func (c *cache) credential(of Credential) [32]byte {
	known := "known"
	if of.Version == nil {
		known = "unknown"
	}
	return c.right.sum("credential", of.Name, of.Of, known, string(of.Version))
}

// find returns the index of the credential that a password was right for a short
// time ago, or -1. How many there are does not show in the work for a password
// that was not.
func (c *cache) find(e *Entry, of []Credential, password string) int {
	right, known := c.right.Find(time.Now(), attempt(e, password)...)
	if !known {
		return -1
	}
	return slices.IndexFunc(of, func(one Credential) bool { return c.credential(one) == right })
}

// add takes note of a password that was right.
func (c *cache) add(e *Entry, of Credential, password string) {
	lifetime := cacheTime
	if of.Version == nil {
		lifetime = unversioned
	}
	now := time.Now()
	c.right.Add(c.credential(of), now, now.Add(lifetime), attempt(e, password)...)
}
