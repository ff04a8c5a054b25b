package maildir

import (
	chain "container/list"
	"sync"
	"time"
)

// DefaultMemory is how many octets a Store keeps of maildrops between sessions: some
// 400,000 messages.
const DefaultMemory = 64 << 20

// A memory holds the newest snapshot of each maildrop, for as long as there is room:
// the one that was not used for the longest time goes first. All of it can be found
// out again.
type memory struct {
	mu     sync.Mutex // guards all, and what is in the elements
	byRoot map[string]*chain.Element
	used   chain.List // of *memento; the last used is the first
	octets int64
}

// A memento is what is remembered of one maildrop. The zero memento: nothing.
type memento struct {
	root     string
	snapshot *snapshot
	octets   int64
	kept     bool // it is in the memory
	// doubt: a file was not the one that the snapshot says. Each has to be looked at
	// again.
	doubt bool
	// since is when the snapshot's times of the folders were first seen, by our clock;
	// zero: not by this process.
	since time.Time
	// saved are the times of the folders in the index on the disk, as far as this
	// process knows, and whether that is whole.
	saved      [2]folderTime
	savedWhole bool
}

// recall returns what is remembered of a maildrop.
func (m *memory) recall(root string) memento {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byRoot[root]
	if !ok {
		return memento{}
	}
	m.used.MoveToFront(e)
	return *e.Value.(*memento)
}

// keep remembers a snapshot, if it has room in so many octets.
func (m *memory) keep(c memento, most int64) {
	if most <= 0 {
		return
	}
	c.octets, c.kept = c.snapshot.octets(), true
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byRoot[c.root]; ok {
		m.drop(e)
	}
	if c.octets > most {
		return
	}
	if m.byRoot == nil {
		m.byRoot = map[string]*chain.Element{}
	}
	m.byRoot[c.root] = m.used.PushFront(&c)
	m.octets += c.octets
	for m.octets > most {
		m.drop(m.used.Back())
	}
}

// drop forgets one.
func (m *memory) drop(e *chain.Element) {
	c := m.used.Remove(e).(*memento)
	delete(m.byRoot, c.root)
	m.octets -= c.octets
}

// forget makes room.
func (m *memory) forget(root string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byRoot[root]; ok {
		m.drop(e)
	}
}

// distrust notes that a file of a maildrop was not the one that the snapshot says.
func (m *memory) distrust(root string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byRoot[root]; ok {
		c := e.Value.(*memento)
		c.doubt, c.saved = true, [2]folderTime{}
	}
}

// saved notes that a snapshot is on the disk, while it is the newest.
func (m *memory) saved(root string, x *snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byRoot[root]; ok {
		if c := e.Value.(*memento); c.snapshot == x && !c.doubt {
			c.saved, c.savedWhole = x.folders, x.whole
		}
	}
}

// bound is how much may be kept.
func (s *Store) bound() int64 {
	if s.Memory == 0 {
		return DefaultMemory
	}
	return s.Memory
}
