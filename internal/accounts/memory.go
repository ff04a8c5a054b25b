package accounts

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"maps"
	"sync"
	"time"
)

// A Memory remembers answers for a while. It holds nothing of the questions: only HMACs
// of them, under a key that nobody else has and that is gone with the process.
// NewMemory makes one. Its methods may be called from many goroutines.
type Memory[V any] struct {
	macs sync.Pool // of hash.Hash, with a key that nobody else has
	most int

	mu      sync.Mutex // guards what follows
	answers map[[32]byte]answer[V]
}

type answer[V any] struct {
	value V
	until time.Time
}

// NewMemory returns a Memory of so many answers at most.
func NewMemory[V any](most int) *Memory[V] {
	key := NewKey()
	return &Memory[V]{
		macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }},
		most: most, answers: map[[32]byte]answer[V]{},
	}
}

// sum is what a question is known by.
func (m *Memory[V]) sum(question ...string) (sum [32]byte) {
	mac := m.macs.Get().(hash.Hash)
	mac.Write(withLengths(question))
	mac.Sum(sum[:0])
	mac.Reset() // now, so that it does not hold the end of a password
	m.macs.Put(mac)
	return sum
}

// Find returns the answer to a question, if there is one that is not over.
func (m *Memory[V]) Find(now time.Time, question ...string) (value V, known bool) {
	sum := m.sum(question...)
	m.mu.Lock()
	a, known := m.answers[sum]
	m.mu.Unlock()
	if !known || !now.Before(a.until) {
		return value, false
	}
	return a.value, true
}

// Add takes note of the answer to a question, and forgets others where there is no room.
func (m *Memory[V]) Add(value V, now, until time.Time, question ...string) {
	sum := m.sum(question...)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.answers) >= m.most {
		m.forget(now)
	}
	m.answers[sum] = answer[V]{value, until}
}

// forget makes room: what is over goes, and if that is little, any others.
func (m *Memory[V]) forget(now time.Time) {
	maps.DeleteFunc(m.answers, func(_ [32]byte, a answer[V]) bool { return !now.Before(a.until) })
	for sum := range m.answers {
		if len(m.answers) < m.most*9/10 {
			return
		}
		delete(m.answers, sum)
	}
}
