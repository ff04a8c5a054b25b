package maildir

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"postfach/internal/vfs"
	"postfach/pop3"
)

// How often the folders are read again because they changed meanwhile: a few
// times for a quiet moment, and more often while a file was seen but was always
// renamed before it could be examined.
const (
	maxReadings = 5
	maxChases   = 50
)

// An entry is a file that is a message, or one name of it.
type entry struct {
	place
	name name
	info vfs.Info
	own  pop3.UniqueID // what its name says; empty: not worked out yet
	hint int64         // the size that the name says, if that is possible; else -1
	id   pop3.UniqueID // see identify
	// doubt: another file with this base could not be examined.
	doubt bool
	// size is what it has on the wire, if sized.
	size  int64
	sized bool
	// listed is the unique-id under which Open listed it; see update.find.
	listed pop3.UniqueID
	// further are other names of the same file with the same base.
	further []*entry
}

// known reports whether it could be found out which file it is.
func (e *entry) known() bool { return e.info.ID != vfs.FileID{} }

// A sighting is a file that was seen, whatever its name is after the base.
type sighting struct {
	base string
	id   vfs.FileID
}

func (e *entry) sighting() sighting { return sighting{e.name.base, e.info.ID} }

// A scan is what was found in a Maildir.
type scan struct {
	entries []*entry // messages, in order, with their unique-ids
	folders [2]folderTime
	seen    time.Time // when there were these folders
	// whole: no message is missing, nothing is in doubt, and no later change can hide
	// behind the same times of the folders.
	whole bool
}

// scan finds the messages of a Maildir. It does not look at the files that are known.
func (d *drop) scan(ctx context.Context, k *known) (scan, error) {
	var earlier *reading
	var entries []*entry
	var vanished []place
	var sure bool
	seen := map[sighting]*entry{} // in readings that something disturbed, but for the last one
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return scan{}, err
		}
		r, err := d.readFolders()
		if err != nil {
			return scan{}, err
		}
		same := r.again(earlier)
		if !same || len(vanished) > 0 { // else all was examined a moment ago
			see(seen, entries)
			if entries, vanished, sure, err = d.examine(ctx, r, k); err != nil {
				return scan{}, err
			}
		}
		if len(vanished) == 0 && (r.steady || same) {
			messages, err := d.identify(entries)
			return scan{messages, r.times, r.seen, r.settled && sure && r.timed()}, err
		}
		if try >= maxReadings && examined(vanished, seen, entries) {
			messages, err := d.identify(append(entries, lost(seen, entries)...))
			return scan{messages, r.times, r.seen, false}, err
		}
		if try == maxChases { // an error is better than a list that lacks a message
			return scan{}, errRestless
		}
		earlier = r
	}
}

func see(seen map[sighting]*entry, entries []*entry) {
	for _, e := range entries {
		seen[e.sighting()] = e
	}
}

// lost returns what was seen in earlier readings only. Such a message was
// renamed while the folder was read, or removed: listed, it costs at most an
// error when somebody asks for it; left out, a client would believe that it is
// gone for good.
func lost(seen map[sighting]*entry, entries []*entry) (missed []*entry) {
	if len(seen) == 0 {
		return nil
	}
	here := make(map[sighting]bool, len(entries))
	for _, e := range entries {
		here[e.sighting()] = true
	}
	for s, e := range seen {
		if !here[s] {
			missed = append(missed, e)
		}
	}
	return missed
}

// examined reports whether every file that vanished had been looked at in this
// reading or in an earlier one.
func examined(vanished []place, seen map[sighting]*entry, entries []*entry) bool {
	if len(vanished) == 0 {
		return true
	}
	bases := make(map[string]bool, len(seen))
	for s := range seen {
		bases[s.base] = true
	}
	for _, e := range entries {
		bases[e.name.base] = true
	}
	for _, p := range vanished {
		if !bases[baseOf(p.name)] {
			return false
		}
	}
	return true
}

// lstatAll examines the files at the places, and calls one with each result, perhaps
// for several at the same time.
func (d *drop) lstatAll(ctx context.Context, places []place, one func(i int, info vfs.Info, err error)) error {
	var open [2]vfs.Folder
	var errs [2]error
	for i := range open {
		if slices.ContainsFunc(places, func(p place) bool { return folderIndex(p.folder) == uint8(i) }) {
			open[i], errs[i] = d.folder(uint8(i))
		}
	}
	d.store.share(ctx, len(places), manyPlaces, 1, func() func(int) {
		return func(i int) {
			k := folderIndex(places[i].folder)
			if errs[k] != nil {
				one(i, vfs.Info{}, errs[k])
				return
			}
			info, err := open[k].Lstat(places[i].name)
			one(i, info, err)
		}
	})
	return ctx.Err()
}

// look finds out what is at the places. Only regular files are messages.
// vanished are places where nothing was any more. sure: nothing failed.
func (d *drop) look(ctx context.Context, places []place) (entries []entry, vanished []place, sure bool, err error) {
	entries, errs := make([]entry, len(places)), make([]error, len(places))
	err = d.lstatAll(ctx, places, func(i int, info vfs.Info, err error) {
		errs[i] = err
		entries[i].set(places[i], info)
	})
	if err != nil {
		return nil, nil, false, err
	}
	sure = true
	left := 0
	for i, p := range places {
		err := errs[i]
		switch {
		case errors.Is(err, fs.ErrNotExist):
			vanished = append(vanished, p)
			continue
		case shortage(err):
			return nil, nil, false, err
		case err != nil:
			// One bad file must not block the others: it is listed, and to
			// read it fails.
			d.store.log().Warn("message cannot be examined", "file", p.path(d.root), "error", err)
			sure = false
		case !entries[i].info.Mode.IsRegular():
			continue
		}
		if left != i {
			entries[left] = entries[i]
		}
		left++
	}
	return entries[:left], vanished, sure, nil
}

// set makes e the entry of a file.
func (e *entry) set(p place, info vfs.Info) {
	e.place, e.name, e.info = p, parseName(p.name), info
	e.own, e.hint = e.name.uniqueID(), e.name.size(info.Size)
}
