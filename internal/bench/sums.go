package bench

import (
	"sync"
	"sync/atomic"
)

// sums are what messages and listings were when they were first read: what is read
// again has to be the same. The accounts' maildrops must not change.
type sums struct {
	mu       sync.Mutex // guards what follows
	messages map[sumKey][]atomic.Uint64
	ids      map[int]uint32
	looked   map[int]bool
}

// A sumKey is a command on an account's messages.
type sumKey struct {
	account int
	keyword string
}

// of returns the digests of an account's messages, by number less one; 0: not read yet.
func (s *sums) of(account int, keyword string, messages int) []atomic.Uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.messages == nil {
		s.messages = make(map[sumKey][]atomic.Uint64)
	}
	key := sumKey{account, keyword}
	if len(s.messages[key]) != messages {
		s.messages[key] = make([]atomic.Uint64, messages)
	}
	return s.messages[key]
}

// same reports whether a digest is the one that was there first.
func same(known *atomic.Uint64, digest uint64) bool {
	return known.Load() == digest || known.CompareAndSwap(0, digest)
}

// sameIDs reports whether a UIDL is what the account's first one was.
func (s *sums) sameIDs(account int, digest uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = make(map[int]uint32)
	}
	first, known := s.ids[account]
	if !known {
		s.ids[account] = digest
	}
	return !known || first == digest
}

// first reports whether it is called for the account for the first time.
func (s *sums) first(account int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looked == nil {
		s.looked = make(map[int]bool)
	}
	before := s.looked[account]
	s.looked[account] = true
	return !before
}
