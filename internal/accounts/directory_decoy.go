package accounts

import (
	"context"
	"strconv"
	"sync"
)

// decoy is that of a source that the name chooses: as often each as it has accounts.
func (d *Directory) decoy(ctx context.Context, name string) *Entry {
	if len(d.Sources) == 0 {
		return classes(nil).decoy(d.Key, name)
	}
	return d.Sources[d.ofSource(name)].Decoy(ctx, name)
}

// ofSource returns the index of the source that an unknown name belongs to, always the
// same one while the sources have as many accounts.
func (d *Directory) ofSource(name string) int {
	chosen, best := 0, -1.0
	for i, s := range d.Sources {
		if score := rendezvous(d.Key, d.weight(i, s), "source", strconv.Itoa(i), name); score > best {
			chosen, best = i, score
		}
	}
	return chosen
}

// An accountCounter is a Source that knows how many accounts it has.
type accountCounter interface{ count() int }

// uncounted is how many accounts a source is taken to have that cannot count them, until
// more have been found there: whoever asks a directory or a database has most of them
// in it.
const uncounted = 1000

func (d *Directory) weight(i int, s Source) int {
	if c, ok := s.(accountCounter); ok {
		return c.count()
	}
	return max(uncounted, d.found.in(i))
}

// found counts the accounts of each source that somebody has got in to. An account
// counts once, and only with its owner: nobody else changes anything by asking for it.
type found struct {
	key []byte

	mu       sync.Mutex // guards what follows
	accounts map[[32]byte]bool
	inSource map[int]int
}

func newFound() *found {
	return &found{key: NewKey(), accounts: map[[32]byte]bool{}, inSource: map[int]int{}}
}

func (f *found) add(e *Entry) {
	account := [32]byte(hmacSHA256(f.key, strconv.Itoa(e.source), e.User))
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.accounts[account] && len(f.accounts) < maxCounted {
		f.accounts[account] = true
		f.inSource[e.source]++
	}
}

func (f *found) in(source int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inSource[source]
}
