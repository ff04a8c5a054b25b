package pop3server

import "time"

// A table remembers keys until a time, in a fixed number of slots. Each key has
// its set of a few slots. When that is full, whatever would be forgotten first
// goes: to push something out, one has to make others that are worth as much.
// Keys are hashes with a secret seed, so nobody can choose what shares a set.
type table struct {
	sets []*[ways]slot // nil where nothing has been
}

func newTable(sets int) table { return table{make([]*[ways]slot, sets)} }

// ways is how many slots a set has.
const ways = 8

// How many sets the tables have. A slot takes 24 octets.
const (
	failureSets = 2048 // 16,384 networks and owners that failed: 384 KiB
	repeatSets  = 2048 // 16,384 wrong passwords: 384 KiB
	ownerSets   = 8192 // 65,536 places of owners: 1.5 MiB
	toldSets    = 128  // 1,024 networks that the log has just told of: 24 KiB
)

// A slot is free when its until is over. Times count from Guard.begun.
type slot struct {
	key   uint64
	until time.Duration
	next  time.Duration // failures only: the earliest next try
}

// find returns the slot of a key. nil: it is not remembered.
func (t *table) find(set, key uint64, now time.Duration) *slot {
	slots := t.sets[set%uint64(len(t.sets))]
	if slots == nil {
		return nil
	}
	for i := range slots {
		if s := &slots[i]; s.key == key && s.until > now {
			return s
		}
	}
	return nil
}

// take returns the slot of a key, a new one where there was none.
func (t *table) take(set, key uint64, now time.Duration) *slot {
	if s := t.find(set, key, now); s != nil {
		return s
	}
	slots := &t.sets[set%uint64(len(t.sets))]
	if *slots == nil {
		*slots = new([ways]slot)
	}
	first := &(*slots)[0]
	for i := range *slots {
		if s := &(*slots)[i]; s.until < first.until {
			first = s
		}
	}
	*first = slot{key: key}
	return first
}

// seen reports whether a key is remembered, and remembers it for so long from now.
func (t *table) seen(key uint64, now, remember time.Duration) bool {
	known := t.find(key, key, now) != nil
	t.take(key, key, now).until = now + remember
	return known
}
