package maildir

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"postfach/internal/vfs"
)

// A place is where a file is.
type place struct {
	folder string // newFolder or curFolder
	name   string
}

// separator is filepath.Separator.
const separator = string(filepath.Separator)

// path returns the file's name below root, which is clean.
func (p place) path(root string) string { return root + separator + p.folder + separator + p.name }

// A reading is what new/ and cur/ had in them.
type reading struct {
	places []place
	times  [2]folderTime
	// steady: no folder changed while it was read, and none so shortly before
	// that the clock of the file system could hide a change.
	steady bool
	// settled is the same when that clock and ours need not agree.
	settled bool
	seen    time.Time // when all times had been seen, by our clock
	// same: it shows what the reading before has shown.
	same bool
}

// A folderTime tells one state of a folder from another. Programs can set the time
// of modification back, but not that of the inode.
type folderTime struct {
	id                vfs.FileID // zero: the folder is missing
	modified, changed int64
}

// tick is the longest time for which a file system may show the same time for
// two changes: of a kernel's clock, and of a disk format with whole seconds.
func tick(t time.Time) time.Duration {
	if t.Nanosecond() == 0 {
		return 2 * time.Second
	}
	return 50 * time.Millisecond
}

// mostSkew is by how much the clock of a file system may differ from ours, at most.
const mostSkew = 10 * time.Minute

// settled reports whether no change that comes after a moment of our clock can have the
// times of a folder. Either they are so old that no clock differs by that much; or they
// had been seen so long before that the clock of the file system has moved on since.
func (m *memento) settled(i int, now folderState, moment time.Time) bool {
	if moment.Sub(now.time) > mostSkew {
		return true
	}
	return m.snapshot != nil && m.snapshot.folders[i] == now.folderTime && !m.since.IsZero() && moment.Sub(m.since) > tick(now.time)
}

// timed reports whether the folders have times that no program can set.
func (r *reading) timed() bool {
	for _, t := range r.times {
		if t != (folderTime{}) && (t.id == vfs.FileID{} || t.changed == 0) {
			return false
		}
	}
	return true
}

// readFolders calls read with new/ first: a message that another program moves to cur/
// meanwhile is seen at least once. It fails when these are not the folders that
// were opened: in others, no message would say nothing. after is a look at the folder when
// all its names had been read.
func (d *drop) readFolders(read func(r *reading, i uint8, open vfs.Folder) (after folderState, err error)) (*reading, error) {
	r := &reading{steady: true, settled: true}
	missing := 0
	for i, folder := range folderNames {
		before, err := d.lookAt(folder)
		if err != nil {
			return nil, err
		}
		if d.folders[i] == (vfs.FileID{}) { // the first reading, or it was missing until now
			d.folders[i] = before.id
		}
		if before.id != d.folders[i] {
			return nil, fmt.Errorf("%s: %w", filepath.Join(d.root, folder), errMoved)
		}
		r.times[i] = before.folderTime
		if before.missing() {
			missing++
			continue
		}
		started := time.Now()
		open, err := d.folder(uint8(i))
		if err != nil {
			return nil, err
		}
		after, err := read(r, uint8(i), open)
		if err != nil {
			return nil, err
		}
		same, settled := before.folderTime == after.folderTime, d.before.settled(i, before, started)
		r.steady = r.steady && same && (settled || started.Sub(before.time) > tick(before.time))
		r.settled = r.settled && same && settled
	}
	if missing == len(r.times) {
		return nil, fmt.Errorf("%s: %w", d.root, ErrNoFolders)
	}
	if err := d.store.leadsTo(d.root, d.home); err != nil {
		return nil, err
	}
	r.seen = time.Now()
	return r, nil
}

// readPlaces notes what is in a folder.
func (d *drop) readPlaces(r *reading, i uint8, open vfs.Folder) (after folderState, err error) {
	names, err := open.ReadDir()
	if err != nil {
		return folderState{}, err
	}
	r.places = slices.Grow(r.places, len(names))
	for _, name := range names {
		if !hidden(name) {
			r.places = append(r.places, place{folderNames[i], name})
		}
	}
	return d.lookAt(folderNames[i])
}

// hidden reports whether a name is none of a message.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// again reports whether r shows the same as an earlier reading: two in a row
// are as good as a steady one, when a folder changed only just before both.
func (r *reading) again(earlier *reading) bool {
	if earlier == nil || r.times != earlier.times || len(r.places) != len(earlier.places) {
		return false
	}
	if slices.Equal(r.places, earlier.places) {
		return true
	}
	for _, x := range []*reading{r, earlier} {
		slices.SortFunc(x.places, func(a, b place) int {
			return cmp.Or(strings.Compare(a.folder, b.folder), strings.Compare(a.name, b.name))
		})
	}
	return slices.Equal(r.places, earlier.places)
}

type folderState struct {
	folderTime
	time time.Time // of its last change
}

func (f folderState) missing() bool { return f.time.IsZero() }
