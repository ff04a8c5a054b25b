package maildir

import (
	"context"

	"postfach/internal/vfs"
)

// known is what earlier sessions found out about the files of a maildrop.
type known struct {
	*snapshot
	// doubt: no name is believed any more. Each file is examined, and its size is kept
	// when it is the same one.
	doubt bool

	byName map[string]int32
	byFile map[vfs.FileID]int32
	here   []bool // by index: found where it was
}

// knownFrom makes a snapshot ready to be asked; nil: nothing is known.
func knownFrom(x *snapshot, doubt bool) *known {
	if x == nil {
		return nil
	}
	return &known{snapshot: x, doubt: doubt}
}

// nothing reports whether each file has to be examined.
func (k *known) nothing() bool { return k == nil || k.doubt }

// split returns the entries whose names say which files they are, in the order in
// which they were listed before, and the places that have to be examined. A name in a
// Maildir is given once: a file that is still there under its name is the one that it
// was. Where somebody breaks that rule, it shows when the message is asked for, and
// costs an error: see distrust.
func (k *known) split(r *reading) (old []entry, left []place) {
	if k.nothing() {
		return nil, r.places
	}
	k.index(r)
	for _, p := range r.places {
		i, ok := k.byName[p.name]
		if ok && k.files[i].folder == folderIndex(p.folder) {
			k.here[i] = true
			continue
		}
		left = append(left, p)
	}
	left = k.withTwins(left)
	old = make([]entry, 0, len(r.places)-len(left))
	for i := range k.files {
		if !k.here[i] {
			continue
		}
		f := &k.files[i]
		old = append(old, entry{
			file: *f, end: int32(len(baseOf(f.name))), changed: f.mtime,
			size: k.messages[i].Size, sized: true,
		})
	}
	return old, left
}

// withTwins adds the places of known files whose base has a name that is not known: the
// file may be the one with that name now, and another one have its place.
func (k *known) withTwins(left []place) []place {
	if len(left) == 0 {
		return left
	}
	bases := make(map[string]bool, len(left))
	for _, p := range left {
		bases[baseOf(p.name)] = true
	}
	for i := range k.files {
		if k.here[i] && bases[baseOf(k.files[i].name)] {
			k.here[i] = false
			left = append(left, k.files[i].place())
		}
	}
	return left
}

// index notes which names are known, in folders that are those of before.
func (k *known) index(r *reading) {
	k.here = make([]bool, len(k.files))
	if k.byName != nil {
		return
	}
	k.byName = make(map[string]int32, len(k.files))
	for i := range k.files {
		f := &k.files[i]
		if id := r.times[f.folder].id; f.id != (vfs.FileID{}) && id != (vfs.FileID{}) && id == k.folders[f.folder].id {
			k.byName[f.name] = int32(i)
		}
	}
	for _, i := range k.unsettled {
		delete(k.byName, k.files[i].name)
	}
}

// recognise fills in the sizes of files that were only renamed since, or that nobody
// is sure of.
func (k *known) recognise(entries []*entry) {
	if k == nil || len(entries) == 0 {
		return
	}
	if k.byFile == nil {
		k.byFile = make(map[vfs.FileID]int32, len(k.files)-len(k.byName))
		for i := range k.files {
			if k.here == nil || !k.here[i] {
				k.byFile[k.files[i].id] = int32(i)
			}
		}
		for _, i := range k.unsettled {
			delete(k.byFile, k.files[i].id)
		}
	}
	for _, e := range entries {
		i, ok := k.byFile[e.file.id]
		if ok && k.files[i].same(&e.file) && baseOf(k.files[i].name) == e.base() {
			e.size, e.sized = k.messages[i].Size, true
		}
	}
}

// samples is how many files are looked at of those that names say to be known.
const samples = 3

// restored reports whether one of a few files is another one than its name says: a backup
// was put back, or the mail was copied, and then it is all of them.
func (d *drop) restored(old []entry) bool {
	for n := range min(samples, len(old)) {
		e := &old[len(old)*(2*n+1)/(2*samples)]
		if info, err := d.lstat(e.place()); err == nil && !e.file.is(info) {
			return true
		}
	}
	return false
}

// examine finds out what is at the places of a reading, without a look at the files
// that are known. The entries found are in the order of their names.
func (d *drop) examine(ctx context.Context, r *reading, k *known) (looked, error) {
	old, left := k.split(r)
	if d.restored(old) {
		k.doubt = true
		old, left = k.split(r)
	}
	l, err := d.look(ctx, left)
	if err != nil {
		return looked{}, err
	}
	k.recognise(l.entries)
	d.fresh = len(left)
	entries := make([]*entry, 0, len(old)+len(l.entries))
	for i := range old {
		entries = append(entries, &old[i])
	}
	l.entries = append(entries, l.entries...)
	sortEntries(l.entries)
	return l, nil
}
