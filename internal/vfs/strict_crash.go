package vfs

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
)

// Crash is a power failure. What was synced is still there; of the rest, the
// seed decides. Each change of a folder that no SyncDir followed has happened
// or has not, on its own: an older one may be missing and a newer one there,
// and of a rename one half or none. A file that was not synced since it was
// written has its old content, or part of the new one, or zeros, block by block
// in any order. With seed 0
// nothing that was not synced is left. Open files are dead and locks are free.
func (s *Strict) Crash(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boot++
	d := &dice{seed == 0, rand.New(rand.NewPCG(seed, 0))}
	s.root.crash(d, map[*inode]bool{})
}

// Clone returns a copy of the file system, unsynced changes included, without
// its locks: one run can crash in many ways.
func (s *Strict) Clone() *Strict {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Strict{Clock: s.Clock, last: s.last, now: s.now, boot: s.boot}
	c.root = s.root.clone(map[*inode]*inode{})
	return c
}

// dice decide what a crash leaves.
type dice struct {
	lose bool // everything
	*rand.Rand
}

func (d *dice) keep() bool { return !d.lose && d.IntN(2) == 0 }

// torn returns what a crash leaves of a file. Where a file was only appended to,
// what was synced stays.
func (d *dice) torn(synced, content []byte) []byte {
	if d.lose {
		return synced
	}
	safe := 0
	if bytes.HasPrefix(content, synced) {
		safe = len(synced)
	}
	reached := safe + d.IntN(len(content)-safe+1)
	switch d.IntN(5) {
	case 0:
		return synced
	case 1:
		return content[:reached]
	case 2: // the length was written, the octets were not all
		zeroed := make([]byte, len(content))
		copy(zeroed, content[:reached])
		return zeroed
	case 3:
		return d.blocks(safe, content)
	}
	return content
}

// blocks returns content of which any blocks behind the first safe octets may
// be zeros: a later one may have reached the disk before an earlier one.
func (d *dice) blocks(safe int, content []byte) []byte {
	const block = 16 // small, because so are the files of tests
	torn := slices.Clone(content)
	for from := safe; from < len(torn); from += block {
		if !d.keep() {
			clear(torn[from:min(from+block, len(torn))])
		}
	}
	return torn
}

func (i *inode) crash(d *dice, seen map[*inode]bool) {
	if seen[i] {
		return
	}
	seen[i] = true
	if !i.mode.IsDir() {
		if i.dirty {
			i.content, i.dirty = d.torn(i.synced, i.content), false
		}
		i.synced = i.content
		return
	}
	for _, c := range i.pending {
		if d.keep() {
			c.apply(i.durable)
		}
	}
	i.entries, i.pending, i.locked = maps.Clone(i.durable), nil, false
	for _, name := range sortedNames(i.entries) {
		i.entries[name].crash(d, seen)
	}
}

func (i *inode) clone(done map[*inode]*inode) *inode {
	if i == nil {
		return nil
	}
	if c := done[i]; c != nil {
		return c
	}
	c := new(inode)
	*c = *i // contents are shared: they are never changed in place
	done[i] = c
	c.locked = false
	if i.mode.IsDir() {
		c.entries, c.durable = map[string]*inode{}, map[string]*inode{}
		for name, e := range i.entries {
			c.entries[name] = e.clone(done)
		}
		for name, e := range i.durable {
			c.durable[name] = e.clone(done)
		}
		c.pending = slices.Clone(i.pending)
		for k := range c.pending {
			c.pending[k].to = c.pending[k].to.clone(done)
		}
	}
	return c
}

func sortedNames(entries map[string]*inode) []string {
	return slices.Sorted(maps.Keys(entries))
}
