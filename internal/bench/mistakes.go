package bench

import (
	"fmt"
	"sync"
)

const (
	// shownMistakes is how many are told one by one.
	shownMistakes = 10
	// MaxMistakes ends a run: what follows would say no more.
	MaxMistakes = 100
)

// Mistakes are replies that were wrong, and sessions that broke off.
type Mistakes struct {
	Count int `json:"count"`
	// First has the first ones, in words.
	First []string `json:"first,omitempty"`
}

// mistakes are Mistakes that grow.
type mistakes struct {
	mu   sync.Mutex // guards all
	all  Mistakes
	many func() // called when there are too many
}

func (m *mistakes) add(user, format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all.Count++
	if len(m.all.First) < shownMistakes {
		m.all.First = append(m.all.First, fmt.Sprintf("%q: ", user)+fmt.Sprintf(format, args...))
	}
	if m.all.Count == MaxMistakes {
		m.many()
	}
}

func (m *mistakes) list() Mistakes {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all
}
