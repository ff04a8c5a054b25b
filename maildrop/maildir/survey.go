package maildir

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"postfach/internal/vfs"
	"postfach/pop3"
)

// A survey is the first look at a maildrop of which nothing is known, or which is in doubt:
// while one goroutine reads the names in a folder, others examine the files.
type survey struct {
	drop   *drop
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu     sync.Mutex // guards what follows
	looked looked     // but for the entries
	names  int
	sorted [][]sorted // the entries, by who has found them
}

// manyNames is how many names that come at once say that there are many more.
const manyNames = 500

// partsAhead is how many parts of the names are read before they are examined.
const partsAhead = 64

// survey reads the folders, and examines all files in them.
func (d *drop) survey(ctx context.Context, k *known) (*reading, looked, error) {
	s := &survey{drop: d}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	defer s.cancel(nil)
	r, err := d.readFolders(func(_ *reading, i uint8, open vfs.Folder) (folderState, error) { return s.read(i, open) })
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, looked{}, err
	}
	l := s.looked
	l.entries = merge(s.sorted)
	k.recognise(l.entries)
	d.fresh = s.names
	if !r.steady || len(l.vanished) > 0 { // it will be compared with the next one
		for _, e := range l.entries {
			r.places = append(r.places, e.place())
		}
		r.places = slices.Concat(r.places, l.vanished, l.others)
	}
	return r, l, nil
}

// read reads one folder, and examines what is in it.
func (s *survey) read(folder uint8, open vfs.Folder) (after folderState, err error) {
	next := open.Names()
	first, err := next()
	if err != nil {
		return folderState{}, err
	}
	helpers := 0
	if len(first) >= manyNames {
		helpers = runtime.GOMAXPROCS(0) - 1
	}
	parts := make(chan []string, partsAhead)
	help := func() { s.work(parts, &hand{survey: s, folder: folder, open: open}) }
	s.drop.store.together(helpers, func() {
		h := &hand{survey: s, folder: folder, open: open}
		after = h.readNames(first, next, parts)
		s.work(parts, h)
	}, help, func() { s.cancel(context.Canceled) })
	return after, context.Cause(s.ctx)
}

// readNames passes the names on, and examines some itself where nobody keeps up. It looks
// at the folder when it has read all: what changes while the files are examined is for the
// next session, as it is after that.
func (h *hand) readNames(names []string, next func() ([]string, error), parts chan<- []string) (after folderState) {
	defer close(parts) // also when it panics: the others wait
	var err error
	for len(names) > 0 && err == nil && h.survey.ctx.Err() == nil {
		select {
		case parts <- names:
		default:
			h.look(names)
		}
		names, err = next()
	}
	if err == nil {
		after, err = h.survey.drop.lookAt(folderNames[h.folder])
	}
	if err != nil {
		h.survey.cancel(err)
	}
	return after
}

// work examines parts of the names until there are no more, and hands over what was found.
func (s *survey) work(parts <-chan []string, h *hand) {
	for names := range parts {
		h.look(names)
	}
	h.order()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked.vanished = append(s.looked.vanished, h.looked.vanished...)
	s.looked.others = append(s.looked.others, h.looked.others...)
	s.looked.doubt = s.looked.doubt || h.looked.doubt
	s.names += h.names
	s.sorted = append(s.sorted, h.sorted)
}

// A hand is one of those who examine files, with what it has found.
type hand struct {
	survey *survey
	folder uint8
	open   vfs.Folder
	looked looked
	names  int
	sorted []sorted // the entries
}

// look examines what has these names.
func (h *hand) look(names []string) {
	entries := make([]entry, len(names))
	for i, name := range names {
		if hidden(name) {
			continue
		}
		if h.survey.ctx.Err() != nil {
			return
		}
		h.names++
		p, e := place{folderNames[h.folder], name}, &entries[i]
		info, err := h.open.Lstat(name)
		message, err := h.looked.sort(h.survey.drop, p, info.Mode, err)
		if err != nil {
			h.survey.cancel(err)
			return
		}
		if message {
			e.set(p, info)
			h.sorted = append(h.sorted, sortedEntry(e))
		}
	}
}

// order puts the entries in the order of their names, also in memory: whoever goes through
// all of them later does it many times faster.
func (h *hand) order() {
	slices.SortFunc(h.sorted, compareSorted)
	octets := 0
	for _, k := range h.sorted {
		octets += len(k.entry.file.name)
	}
	var text strings.Builder
	text.Grow(octets)
	entries := make([]entry, len(h.sorted))
	for i := range h.sorted {
		k, e := &h.sorted[i], &entries[i]
		*e, k.entry = *k.entry, e
		from := text.Len()
		text.WriteString(e.file.name)
		e.file.name = text.String()[from:]
		if e.own == pop3.UniqueID(e.base()) {
			e.own = pop3.UniqueID(e.base())
		}
	}
}

// merge puts entries together that are in order each.
func merge(parts [][]sorted) []*entry {
	for len(parts) > 1 {
		parts = append(parts[2:], mergeTwo(parts[0], parts[1]))
	}
	var entries []*entry
	for _, part := range parts {
		entries = make([]*entry, len(part))
		for i := range part {
			entries[i] = part[i].entry
		}
	}
	return entries
}

func mergeTwo(a, b []sorted) []sorted {
	all := make([]sorted, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compareSorted(b[0], a[0]) < 0 {
			all, b = append(all, b[0]), b[1:]
		} else {
			all, a = append(all, a[0]), a[1:]
		}
	}
	return append(append(all, a...), b...)
}
