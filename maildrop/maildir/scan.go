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

// An entry is a file that is a message, or one name of it. There are as many as messages,
// so they are small.
type entry struct {
	file    file
	end     int32 // of its base, in the name
	sized   bool
	legal   bool          // its base is a unique-id; false: or not worked out yet
	doubt   bool          // another file with this base could not be examined
	changed int64         // when, as changeTime says
	size    int64         // what it has on the wire, if sized; else what its name says, or -1
	id      pop3.UniqueID // see identify; in Update, under which Open listed it, or empty
	further *entry        // another name of the same file with the same base, and so on
}

// entryOf returns the entry of a file.
func entryOf(p place, info vfs.Info) entry {
	n := parseName(p.name)
	return entry{
		file: fileOf(p, info), end: int32(n.end), changed: changeTime(info),
		legal: pop3.UniqueID(n.base()).Valid(), size: n.size(info.Size),
	}
}

func (e *entry) name() name { return name{e.file.name, int(e.end)} }

func (e *entry) base() string { return e.file.name[:e.end] }

func (e *entry) place() place { return e.file.place() }

// known reports whether it could be found out which file it is.
func (e *entry) known() bool { return e.file.id != vfs.FileID{} }

// A sighting is a file that was seen, whatever its name is after the base.
type sighting struct {
	base string
	id   vfs.FileID
}

func (e *entry) sighting() sighting { return sighting{e.base(), e.file.id} }

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
	var last looked
	seen := map[sighting]*entry{} // in readings that something disturbed, but for the last one
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return scan{}, err
		}
		r, found, err := d.readAndExamine(ctx, k, earlier, last)
		if err != nil {
			return scan{}, err
		}
		if len(found.vanished) == 0 && (r.steady || r.same) {
			messages, err := d.identify(found.entries)
			return scan{messages, r.times, r.seen, r.settled && !found.doubt && r.timed()}, err
		}
		if try >= maxReadings && examined(found.vanished, seen, found.entries) {
			all := append(found.entries, lost(seen, found.entries)...)
			sortEntries(all)
			messages, err := d.identify(all)
			return scan{messages, r.times, r.seen, false}, err
		}
		if try == maxChases { // an error is better than a list that lacks a message
			return scan{}, errRestless
		}
		see(seen, found.entries)
		earlier, last = r, found
	}
}

// readAndExamine reads the folders, and examines what is in them: at the same time where
// nothing is known, and not again what was examined a moment ago.
func (d *drop) readAndExamine(ctx context.Context, k *known, earlier *reading, last looked) (*reading, looked, error) {
	if earlier == nil && k.nothing() {
		return d.survey(ctx, k)
	}
	r, err := d.readFolders(d.readPlaces)
	if err != nil {
		return nil, looked{}, err
	}
	if r.same = r.again(earlier); r.same && len(last.vanished) == 0 {
		return r, last, nil
	}
	found, err := d.examine(ctx, r, k)
	return r, found, err
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
		bases[e.base()] = true
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

// looked is what a look at some places has found out.
type looked struct {
	entries  []*entry // messages: only regular files are
	vanished []place  // where nothing was any more
	others   []place  // where something else was
	doubt    bool     // something failed
}

// look finds out what is at the places.
func (d *drop) look(ctx context.Context, places []place) (l looked, err error) {
	entries, modes, errs := make([]entry, len(places)), make([]fs.FileMode, len(places)), make([]error, len(places))
	err = d.lstatAll(ctx, places, func(i int, info vfs.Info, err error) {
		modes[i], errs[i] = info.Mode, err
		entries[i] = entryOf(places[i], info)
	})
	if err != nil {
		return looked{}, err
	}
	for i := range entries {
		message, err := l.sort(d, places[i], modes[i], errs[i])
		if err != nil {
			return looked{}, err
		}
		if message {
			l.entries = append(l.entries, &entries[i])
		}
	}
	return l, nil
}

// sort takes note of what was found at one place, and reports whether it is a message.
func (l *looked) sort(d *drop, p place, mode fs.FileMode, err error) (message bool, _ error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.vanished = append(l.vanished, p)
		return false, nil
	case shortage(err):
		return false, err
	case err != nil:
		// One bad file must not block the others: it is listed, and to
		// read it fails.
		d.store.log().Warn("message cannot be examined", "file", p.path(d.root), "error", err)
		l.doubt = true
	case !mode.IsRegular():
		l.others = append(l.others, p)
		return false, nil
	}
	return true, nil
}
