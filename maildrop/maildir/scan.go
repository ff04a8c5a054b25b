package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

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
}

// known reports whether it could be found out which file it is.
func (e *entry) known() bool { return e.info.ID != vfs.FileID{} }

// scan returns the messages of a Maildir in order, with their unique-ids.
func (s *Store) scan(ctx context.Context, root string) ([]*entry, error) {
	var earlier *reading
	seen := map[string]*entry{} // by base, in readings that something disturbed
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := s.readFolders(root)
		if err != nil {
			return nil, err
		}
		entries, vanished, err := s.look(ctx, root, r.places)
		if err != nil {
			return nil, err
		}
		if len(vanished) == 0 && (r.steady || r.again(earlier)) {
			return identify(entries)
		}
		missed := lost(seen, entries)
		for _, e := range entries {
			seen[e.name.base] = e
		}
		switch caught := examined(vanished, seen); {
		case try >= maxReadings && caught:
			return identify(append(entries, missed...))
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
func lost(seen map[string]*entry, entries []*entry) (missed []*entry) {
	here := make(map[string]bool, len(entries))
	for _, e := range entries {
		here[e.name.base] = true
	}
	for base, e := range seen {
		if !here[base] {
			missed = append(missed, e)
		}
	}
	return missed
}

// examined reports whether every file that vanished had been looked at in an
// earlier reading.
func examined(vanished []place, seen map[string]*entry) bool {
	for _, p := range vanished {
		if seen[baseOf(p.name)] == nil {
			return false
		}
	}
	return true
}

// look finds out what is at the places. Only regular files are messages.
// vanished are places where nothing was any more.
func (s *Store) look(ctx context.Context, root string, places []place) (entries []*entry, vanished []place, err error) {
	entries = make([]*entry, 0, len(places))
	for _, p := range places {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		info, err := s.fs().Lstat(p.path(root))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			vanished = append(vanished, p)
			continue
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

// errAmbiguous: two files have one name, and the disk does not say whether they
// are one file. To guess would give a message an id that is not its own.
var errAmbiguous = errors.New("cannot tell whether two files are one message")

// identify puts entries in order, gives each message its unique-id, and leaves
// out further names of the same message. No two messages get the same id
// (P3-UIDL-04).
func identify(entries []*entry) ([]*entry, error) {
	slices.SortStableFunc(entries, func(a, b *entry) int {
		return compareNames(a.name, b.name)
	})
	messages := make([]*entry, 0, len(entries))
	taken := make(map[pop3.UniqueID]*entry, len(entries))
	for _, e := range entries {
		own, err := e.settle(messages, taken)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.name.whole, err)
		}
		if own {
			taken[e.id] = e
			messages = append(messages, e)
		}
	}
	return messages, nil
}

// settle finds the unique-id of e. own is false when e is no message of its own:
// one file in new/ and in cur/ was moved while the folders were read, or is the
// rest of a move that was interrupted.
func (e *entry) settle(before []*entry, taken map[pop3.UniqueID]*entry) (own bool, err error) {
	e.id = e.name.candidate(0)
	other := taken[e.id]
	if other == nil {
		return true, nil
	}
	if !e.known() || !other.known() {
		return false, errAmbiguous
	}
	for i := len(before) - 1; i >= 0 && before[i].name.base == e.name.base; i-- {
		if before[i].info.ID == e.info.ID {
			return false, nil
		}
	}
	for step := 1; ; step++ {
		e.id = e.name.candidate(step)
		other := taken[e.id]
		if other == nil {
			return true, nil
		}
		if other.info.ID == e.info.ID { // see giveName
			return false, nil
		}
	}
}
