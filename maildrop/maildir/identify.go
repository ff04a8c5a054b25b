package maildir

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"postfach/internal/vfs"
	"postfach/pop3"
)

// identify gives each message its unique-id, and leaves out further names of the
// same message. No two get the same id (P3-UIDL-04). The entries are in the order of
// their names, and so are the messages.
//
// Of several files with one base the oldest keeps it as its id. The id of each
// other one is a hash of what no flag changes, and nameTwins makes it durable.
func (d *drop) identify(entries []*entry) ([]*entry, error) {
	entries, taken := interrupted(entries)
	messages := make([]*entry, 0, len(entries))
	var hashed, twins []*entry
	for group := range sameBase(entries) {
		if group[0].id != "" { // see interrupted
			messages = append(messages, group[0])
			continue
		}
		first, others, err := d.sortTwins(group)
		if err != nil {
			return nil, err
		}
		twins = append(twins, others...)
		switch {
		case first == nil:
		case first.ownID() != pop3.UniqueID(first.base()):
			hashed = append(hashed, first)
		case taken == nil: // the only one with this base
			first.id = first.ownID()
			messages = append(messages, first)
		default:
			messages = append(messages, first.claim(0, taken))
		}
	}
	if taken == nil && len(hashed)+len(twins) == 0 {
		return messages, nil
	}
	taken = takenBy(messages)
	byBase := func(a, b *entry) int { return strings.Compare(a.base(), b.base()) }
	slices.SortStableFunc(hashed, byBase)
	slices.SortStableFunc(twins, byBase)
	// Only now: the name of a file comes before the hash of another.
	for _, e := range hashed {
		messages = append(messages, e.claim(0, taken))
	}
	for _, e := range twins {
		messages = append(messages, e.claim(1, taken))
	}
	listed := func(a, b *entry) int { return compareNames(a.listedName(), b.listedName()) }
	if !slices.IsSortedFunc(messages, listed) { // hashed and twins came last
		slices.SortStableFunc(messages, listed)
	}
	return messages, nil
}

// sameBase yields the entries with one base together, those that have their id
// already alone. Entries are in the order of their names, in which equal bases
// are neighbours.
func sameBase(entries []*entry) iter.Seq[[]*entry] {
	return func(yield func([]*entry) bool) {
		for len(entries) > 0 {
			n := 1
			for n < len(entries) && entries[n].base() == entries[0].base() {
				n++
			}
			group := entries[:n:n]
			entries = entries[n:]
			if slices.ContainsFunc(group, (*entry).identified) {
				var rest []*entry
				for _, e := range group {
					if !e.identified() {
						rest = append(rest, e)
					} else if !yield([]*entry{e}) {
						return
					}
				}
				group = rest
			}
			if len(group) > 0 && !yield(group) {
				return
			}
		}
	}
}

func (e *entry) identified() bool { return e.id != "" }

// takenBy returns the unique-ids that messages have.
func takenBy(messages []*entry) map[pop3.UniqueID]bool {
	taken := make(map[pop3.UniqueID]bool, len(messages))
	for _, e := range messages {
		taken[e.id] = true
	}
	return taken
}

// A sorted is an entry with the numbers that decide on its place.
type sorted struct {
	seconds, micros uint64
	entry           *entry
}

func sortedEntry(e *entry) sorted {
	n := e.name()
	return sorted{number(n.seconds()), number(n.micros()), e}
}

// compareSorted puts entries in the order of their names.
func compareSorted(a, b sorted) int {
	if a.seconds != b.seconds {
		return cmp.Compare(a.seconds, b.seconds)
	}
	if a.micros != b.micros && a.seconds != math.MaxUint64 {
		return cmp.Compare(a.micros, b.micros)
	}
	// A name that is in both folders: new/ was read first.
	return cmp.Or(compareNames(a.entry.name(), b.entry.name()), cmp.Compare(a.entry.file.folder, b.entry.file.folder))
}

// sortEntries puts entries in the order of their names.
func sortEntries(entries []*entry) {
	keys := make([]sorted, len(entries))
	for i, e := range entries {
		keys[i] = sortedEntry(e)
	}
	slices.SortFunc(keys, compareSorted)
	for i := range keys {
		entries[i] = keys[i].entry
	}
}

// number returns what decimal digits say, and the largest number for all that are
// not below it.
func number(digits string) uint64 {
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > 19 {
		return math.MaxUint64
	}
	var n uint64
	for _, d := range []byte(digits) {
		n = 10*n + uint64(d-'0')
	}
	return n
}

// listedName returns the name by which a message is put in order: that which
// nameTwins gives it, whether or not it can, so that each session has the same
// order.
func (e *entry) listedName() name {
	if !e.misnamed() {
		return e.name()
	}
	return parseName(string(e.id) + e.name().suffix())
}

// misnamed reports whether a file has another unique-id than its name says.
func (e *entry) misnamed() bool { return e.id != e.ownID() }

// ownID returns the unique-id of a file that is the only one with its name.
func (e *entry) ownID() pop3.UniqueID {
	base := pop3.UniqueID(e.base())
	if e.legal = e.legal || base.Valid(); e.legal {
		return base
	}
	return hashID(string(base))
}

// candidate returns what is tried as unique-id, in this order, until one is not
// taken by another file. Nothing that is hashed moves with flags. The device is
// not in it: its number may change when the machine starts.
func (e *entry) candidate(step int) pop3.UniqueID {
	if step == 0 {
		return e.ownID()
	}
	text := fmt.Sprintf("%d %d %s", e.file.mtime, e.file.id.Inode, e.base())
	return hashID(text + strings.Repeat("+", step-1))
}

// claim takes the first free candidate from this step on.
func (e *entry) claim(step int, taken map[pop3.UniqueID]bool) *entry {
	for ; ; step++ {
		e.id = e.candidate(step)
		if !taken[e.id] {
			taken[e.id] = true
			return e
		}
	}
}

// hashLength is that of each hashID.
const hashLength = 53

// interrupted finds files that giveNames has given a name and that still have,
// or have again after a crash, the one before. Such a file keeps the given name
// as its id, also when it is the only one left with the old base. It is listed
// under its old name, so that nameTwins goes on with it, and so that an UPDATE
// that removes it looks for both. taken are those ids; nil: there is no such file.
func interrupted(entries []*entry) (left []*entry, taken map[pop3.UniqueID]bool) {
	given := map[sighting]bool{}
	byFile := map[vfs.FileID]bool{}
	for _, e := range entries {
		if base := e.base(); len(base) == hashLength && base[0] == 'h' && e.known() {
			given[e.sighting()], byFile[e.file.id] = true, true
		}
	}
	if len(given) == 0 {
		return entries, nil
	}
	taken = map[pop3.UniqueID]bool{}
	second := map[vfs.FileID]bool{}
	for _, e := range entries {
		// Only where somebody laid a trap would it need more steps than these.
		for step := 1; byFile[e.file.id] && e.id == "" && step < 4; step++ {
			if id := e.candidate(step); given[sighting{string(id), e.file.id}] {
				e.id = id
			}
		}
		if e.id != "" {
			second[e.file.id] = true
		}
	}
	for _, e := range entries {
		if second[e.file.id] && (e.id == "" && given[e.sighting()] || taken[e.id]) {
			continue // a further name
		}
		if e.id != "" {
			taken[e.id] = true
		}
		left = append(left, e)
	}
	return left, taken
}

// sortTwins returns the files among these with one base: the oldest, which
// keeps it, and the others. One file in new/ and in cur/ was moved while the
// folders were read, or is the rest of a move that was interrupted.
//
// A file that cannot be examined may be any of them, under another name, or an
// older one. Then nobody gets the id: whoever had it before, a client fetches
// another message once more, and skips none. Such a file is left out, unless it
// is the disk that does not answer: an error is better than other unique-ids.
func (d *drop) sortTwins(group []*entry) (first *entry, others []*entry, err error) {
	if len(group) == 1 {
		return group[0], nil, nil
	}
	doubt := false
	seen := map[vfs.FileID]*entry{}
	for _, e := range group {
		switch {
		case !d.lookAgain(e):
			doubt = true
			d.store.log().Warn("message is left out: it cannot be told from another with this name", "file", e.place().path(d.root))
		case seen[e.file.id] != nil:
			same := seen[e.file.id]
			same.further, e.further = e, same.further
		default:
			seen[e.file.id] = e
			others = append(others, e)
		}
	}
	if doubt {
		for _, e := range others {
			e.doubt = true
		}
		return nil, others, d.store.leadsTo(d.root, d.home)
	}
	slices.SortStableFunc(others, func(a, b *entry) int {
		return cmp.Or(
			cmp.Compare(a.file.mtime, b.file.mtime),
			cmp.Compare(a.file.id.Inode, b.file.id.Inode),
			cmp.Compare(a.file.id.Device, b.file.id.Device),
		)
	})
	return others[0], others[1:], nil
}

// lookAgain reports whether it is known which file e is. An error of one moment
// must not change a unique-id.
func (d *drop) lookAgain(e *entry) bool {
	if !e.known() {
		if info, err := d.lstat(e.place()); err == nil && info.Mode.IsRegular() {
			e.file, e.changed = fileOf(e.place(), info), changeTime(info)
		}
	}
	return e.known()
}
