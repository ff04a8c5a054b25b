package maildir

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"

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
	id   pop3.UniqueID // see identify
	// doubt: another file with this base could not be examined.
	doubt bool
}

// known reports whether it could be found out which file it is.
func (e *entry) known() bool { return e.info.ID != vfs.FileID{} }

// A sighting is a file that was seen, whatever its name is after the base.
type sighting struct {
	base string
	id   vfs.FileID
}

func (e *entry) sighting() sighting { return sighting{e.name.base, e.info.ID} }

// scan returns the messages of a Maildir in order, with their unique-ids.
func (d *drop) scan(ctx context.Context) ([]*entry, error) {
	var earlier *reading
	seen := map[sighting]*entry{} // in readings that something disturbed
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := d.readFolders()
		if err != nil {
			return nil, err
		}
		entries, vanished, err := d.store.look(ctx, d.root, r.places)
		if err != nil {
			return nil, err
		}
		if len(vanished) == 0 && (r.steady || r.again(earlier)) {
			return d.identify(entries)
		}
		missed := lost(seen, entries)
		for _, e := range entries {
			seen[e.sighting()] = e
		}
		switch caught := examined(vanished, seen); {
		case try >= maxReadings && caught:
			return d.identify(append(entries, missed...))
		case try == maxChases: // an error is better than a list that lacks a message
			return nil, errRestless
		}
		earlier = r
	}
}

// lost returns what was seen in earlier readings only. Such a message was
// renamed while the folder was read, or removed: listed, it costs at most an
// error when somebody asks for it; left out, a client would believe that it is
// gone for good.
func lost(seen map[sighting]*entry, entries []*entry) (missed []*entry) {
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

// examined reports whether every file that vanished had been looked at in an
// earlier reading.
func examined(vanished []place, seen map[sighting]*entry) bool {
	bases := make(map[string]bool, len(seen))
	for s := range seen {
		bases[s.base] = true
	}
	for _, p := range vanished {
		if !bases[baseOf(p.name)] {
			return false
		}
	}
	return true
}

// look finds out what is at the places. Only regular files are messages.
// vanished are places where nothing was any more.
func (s *Store) look(ctx context.Context, root string, places []place) (entries []*entry, vanished []place, err error) {
	entries = make([]*entry, 0, len(places))
	infos, errs := s.lstatAll(ctx, root, places)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	for i, p := range places {
		info, err := infos[i], errs[i]
		switch {
		case errors.Is(err, fs.ErrNotExist):
			vanished = append(vanished, p)
			continue
		case shortage(err):
			return nil, nil, err
		case err != nil:
			// One bad file must not block the others: it is listed, and to
			// read it fails.
			s.log().Warn("message cannot be examined", "file", p.path(root), "error", err)
		case !info.Mode.IsRegular():
			continue
		}
		entries = append(entries, &entry{place: p, name: parseName(p.name), info: info})
	}
	return entries, vanished, nil
}

// manyPlaces is from how many files on they are examined by several goroutines:
// for fewer it takes longer to start them.
const manyPlaces = 1000

// mostHelpers is how many goroutines examine files beside those that call Open, in
// the whole Store: each may hold a thread for as long as a disk does not answer.
const mostHelpers = 16

// helpers are those of them that are busy.
type helpers struct{ busy atomic.Int32 }

// hire takes one, which done gives back. false: there is none.
func (h *helpers) hire() bool {
	if h.busy.Add(1) <= mostHelpers {
		return true
	}
	h.busy.Add(-1)
	return false
}

func (h *helpers) done() { h.busy.Add(-1) }

// lstatAll examines the files at the places, with what help there is. It stops early
// when ctx ends.
func (s *Store) lstatAll(ctx context.Context, root string, places []place) ([]vfs.Info, []error) {
	infos, errs := make([]vfs.Info, len(places)), make([]error, len(places))
	lstat := func(from, to int) {
		for i := from; i < to && ctx.Err() == nil; i++ {
			infos[i], errs[i] = s.fs().Lstat(places[i].path(root))
		}
	}
	from, share := 0, len(places)
	if len(places) >= manyPlaces {
		share = len(places)/runtime.GOMAXPROCS(0) + 1
	}
	var wg sync.WaitGroup
	for ; from+share < len(places) && s.helpers.hire(); from += share {
		first := from
		wg.Go(func() {
			defer s.helpers.done()
			lstat(first, first+share)
		})
	}
	lstat(from, len(places))
	wg.Wait()
	return infos, errs
}
