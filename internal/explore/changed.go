package explore

import (
	"sync"
	"time"
)

// ringPause is how long small changes, such as lines of the protocol, wait for
// company.
const ringPause = 50 * time.Millisecond

// A bell tells everybody who listens, once for many changes.
type bell struct {
	mu     sync.Mutex // guards what follows; nothing else is locked under it
	heard  chan struct{}
	timer  *time.Timer // set: it rings soon
	silent bool
}

// next returns a channel that is closed when the bell rings.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.heard == nil {
		b.heard = make(chan struct{})
	}
	return b.heard
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if b.heard != nil {
		close(b.heard)
		b.heard = nil
	}
}

func (b *bell) ringSoon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer == nil && !b.silent {
		b.timer = time.AfterFunc(ringPause, b.ring)
	}
}

// silence rings for the last time.
func (b *bell) silence() {
	b.ring()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = true
}

// Changed returns a channel that is closed at the next change of anything that
// Status, Page or Log return.
func (e *Explorer) Changed() <-chan struct{} { return e.bell.next() }
