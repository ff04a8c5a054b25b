package maildir

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"postfach/internal/vfs"
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
	octets int        // of the names of entries
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
	if l.entries, err = s.gather(ctx); err != nil {
		return nil, looked{}, err
	}
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
	slices.SortFunc(h.sorted, compareSorted)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked.vanished = append(s.looked.vanished, h.looked.vanished...)
	s.looked.others = append(s.looked.others, h.looked.others...)
	s.looked.doubt = s.looked.doubt || h.looked.doubt
	s.names, s.octets = s.names+h.names, s.octets+h.octets
	s.sorted = append(s.sorted, h.sorted)
}

// A hand is one of those who examine files, with what it has found.
type hand struct {
	survey *survey
	folder uint8
	open   vfs.Folder
	looked looked
	names  int
	octets int      // of the names of entries
	sorted []sorted // the entries
}

// look examines what has these names. It begins by making room for others: Go takes the
// processor of whoever has not done so for 10 ms away, most often in the midst of a call of
// the system, and wakes threads for that.
func (h *hand) look(names []string) {
	runtime.Gosched()
	entries := make([]entry, 0, len(names))
	for _, name := range names {
		if hidden(name) {
			continue
		}
		if h.survey.ctx.Err() != nil {
			return
		}
		h.names++
		p := place{folderNames[h.folder], name}
		info, err := h.open.Lstat(name)
		message, err := h.looked.sort(h.survey.drop, p, info.Mode, err)
		if err != nil {
			h.survey.cancel(err)
			return
		}
		if message {
			entries = append(entries, entryOf(p, info))
			h.sorted = append(h.sorted, sortedEntry(&entries[len(entries)-1]))
			h.octets += len(name)
		}
	}
}

// gather puts the entries in the order of their names, also in memory: whoever goes through
// all of them later does it many times faster. Their names become parts of longer texts.
func (s *survey) gather(ctx context.Context) ([]*entry, error) {
	in := merge(s.sorted)
	copies, entries := make([]entry, len(in)), make([]*entry, len(in))
	s.drop.store.share(ctx, len(in), manyPlaces, 1, func() func(int) {
		var text strings.Builder
		return func(i int) {
			e := &copies[i]
			*e, entries[i] = *in[i].entry, e
			if text.Cap()-text.Len() < len(e.file.name) {
				text = strings.Builder{}
				text.Grow(max(min(s.octets, namesTogether), len(e.file.name)))
			}
			from := text.Len()
			text.WriteString(e.file.name)
			e.file.name = text.String()[from:]
		}
	})
	return entries, ctx.Err()
}

// namesTogether is how many octets of names are one text.
const namesTogether = 16 << 10

// merge puts entries together that are in order each.
func merge(parts [][]sorted) []sorted {
	for len(parts) > 1 {
		parts = append(parts[2:], mergeTwo(parts[0], parts[1]))
	}
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
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
