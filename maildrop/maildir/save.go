package maildir

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"postfach/internal/vfs"
)

// manyMessages is from how many messages on a maildrop has an index: a smaller one is
// found out again before anybody notices.
const manyMessages = 500

// indexHash is how many octets of a hash of a Maildir's path name its index.
const indexHash = 20

// maxIndex bounds what is read as an index.
const maxIndex = 1 << 30

// An index that nobody wrote for so long is removed: its Maildir may not be there any
// more. A part of one is what an interrupted process left.
const (
	indexKept = 400 * 24 * time.Hour
	partKept  = 24 * time.Hour
	partOf    = ".part-"
)

// recall returns what is known of a maildrop, from memory or from the disk.
func (s *Store) recall(root string, home vfs.FileID) memento {
	c := s.memory.recall(root)
	if c.snapshot == nil && s.Index != "" {
		if x, err := s.readIndex(root); err == nil {
			c.snapshot = x
			if x.whole { // else a better one is worth writing
				c.saved, c.savedWhole = x.folders, true
			}
		}
	}
	if c.snapshot != nil && c.snapshot.home != home { // another Maildir was here
		return memento{}
	}
	return c
}

func (s *Store) indexName(root string) string {
	sum := sha256.Sum256([]byte(filepath.Clean(root)))
	return filepath.Join(s.Index, hex.EncodeToString(sum[:indexHash]))
}

func (s *Store) readIndex(root string) (*snapshot, error) {
	f, err := s.fs().Open(s.indexName(root))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Info()
	if err != nil {
		return nil, err
	}
	if info.Size > maxIndex {
		return nil, errIndex
	}
	return parseIndex(f, info.Size, filepath.Clean(root), s.fs().Boot())
}

// save writes the index of a maildrop whose session has ended, where that is worth the
// time. An error is nobody's concern: without an index, it only takes longer.
func (s *Store) save(d *drop) {
	if s.Index == "" || d.seen == nil || d.doubt || !d.worthSaving() {
		return
	}
	if s.writeIndex(d.root, d.seen) != nil {
		return
	}
	s.memory.saved(d.root, d.seen)
	s.sweepIndex(d.root)
}

// worthSaving reports whether an index of this snapshot would save time. One that a
// few messages came to is nearly as good as a new one.
func (d *drop) worthSaving() bool {
	many, x := d.store.indexed, d.seen
	if many == 0 {
		many = manyMessages
	}
	saved := d.before.saved
	switch {
	case len(x.messages) < many:
		return false
	case saved == x.folders:
		return x.whole && !d.before.savedWhole
	case saved == [2]folderTime{}:
		return true
	}
	return x.whole && (d.reused || x.fresh > len(x.messages)/8)
}

// writeIndex puts an index in the place of the one before, whole or not at all. It is
// not synced: a part of one is recognised.
func (s *Store) writeIndex(root string, x *snapshot) error {
	size, ok := sizeIndex(x)
	if !ok {
		return errIndex
	}
	name := s.indexName(root)
	part := name + partOf + strings.ToLower(rand.Text())
	f, err := s.fs().Create(part, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.fs().Mkdir(s.Index, 0o700); err == nil || errors.Is(err, fs.ErrExist) {
			f, err = s.fs().Create(part, 0o600)
		}
	}
	if err != nil {
		return err
	}
	err = writeIndexTo(f, x, size, filepath.Clean(root), s.fs().Boot())
	err = errors.Join(err, f.Close())
	if err == nil {
		err = s.fs().Rename(part, name)
	}
	if err != nil {
		s.fs().Remove(part)
	}
	return err
}

func (s *Store) removeIndex(root string) {
	if s.Index != "" {
		s.fs().Remove(s.indexName(root))
	}
}

// sweepIndex removes, once a day, what nobody will use any more. The time is that of
// the index that was just written.
func (s *Store) sweepIndex(root string) {
	if !s.sweepIsDue(s.Index, time.Now()) {
		return
	}
	mine, err := s.fs().Lstat(s.indexName(root))
	if err != nil {
		return
	}
	names, err := s.fs().ReadDir(s.Index)
	if err != nil {
		return
	}
	for _, name := range names {
		kept := indexKept
		base, _, part := strings.Cut(name, partOf)
		if part {
			kept = partKept
		}
		if octets, err := hex.DecodeString(base); err != nil || len(octets) != indexHash {
			continue // not ours
		}
		path := filepath.Join(s.Index, name)
		info, err := s.fs().Lstat(path)
		if err == nil && info.Mode.IsRegular() && mine.ModTime.Sub(info.ModTime) > kept {
			s.fs().Remove(path)
		}
	}
}
