package maildir

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/pop3"
)

// maxPasses bounds how often Update looks again for marked messages that other
// programs rename while it removes them.
const maxPasses = 10

// errReplaced: under a marked unique-id there is a file that is not, or not any
// more, what Open saw. It is not removed: nobody can have read and marked it.
var errReplaced = errors.New("the message was changed or replaced meanwhile")

// Update implements maildrop.Maildrop: one pass, and one sync of each folder.
func (d *drop) Update(ctx context.Context, deleted []pop3.UniqueID) error {
	u := &update{drop: d, marked: map[pop3.UniqueID]*removal{}}
	for _, id := range deleted {
		if i, ok := d.seen.find(id); ok && u.marked[id] == nil {
			m := &removal{id: id, base: baseOf(d.files[i].name)}
			u.marked[id] = m
			u.order = append(u.order, m)
		}
	}
	if len(u.order) == 0 {
		return nil
	}
	defer d.closeFolders()
	u.err = u.remove(ctx)
	u.sync() // also when something failed: what was removed is to stay removed
	return u.result()
}

// An update is one run of Update.
type update struct {
	drop   *drop
	marked map[pop3.UniqueID]*removal
	order  []*removal // the same, as they were marked
	err    error      // what ended the run early

	byFile map[vfs.FileID]int32 // the messages' files; nil: not needed yet
}

// A removal is what is known of one marked message.
type removal struct {
	id      pop3.UniqueID
	base    string
	found   []*entry // its names, in the reading of this pass
	gone    bool     // no name of it is left
	folders [2]bool  // this run removed it from new/, from cur/
	err     error    // why it may still be there
}

func (m *removal) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// remove makes passes until one leaves no doubt.
func (u *update) remove(ctx context.Context) error {
	for range maxPasses {
		again, err := u.pass(ctx)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// pass reads the folders and removes the marked messages that it finds. again:
// something moved meanwhile, so that another pass must look for what this one
// may have missed.
func (u *update) pass(ctx context.Context) (again bool, err error) {
	r, err := u.drop.settledReading(ctx)
	if err != nil {
		return false, err
	}
	near, all, err := u.find(ctx, r)
	if err != nil {
		return false, err
	}
	again = !all || !r.steady
	if !again {
		u.judge(near)
		u.doubtNames(r)
	}
	u.pin(near)
	var found []*removal
	for _, m := range u.order {
		if m.err == nil && len(m.found) > 0 {
			found = append(found, m)
		}
	}
	u.drop.store.share(ctx, len(found), manyRemovals, hands, func() func(int) {
		return func(i int) { u.unlink(found[i]) }
	})
	if err := ctx.Err(); err != nil {
		return false, err
	}
	for _, m := range found {
		again = again || !m.gone && m.err == nil
	}
	return again, nil
}

// find looks at all files that have to do with marked unique-ids, and finds the
// names of the marked messages among them: only the very files that Open saw
// (P3-UPD-03). all is false when a file vanished meanwhile.
func (u *update) find(ctx context.Context, r *reading) (near []*entry, all bool, err error) {
	bases := u.bases()
	var places []place
	for _, p := range r.places {
		if bases[baseOf(p.name)] {
			places = append(places, p)
		}
	}
	found, err := u.drop.look(ctx, places)
	if err != nil {
		return nil, false, err
	}
	for _, m := range u.order {
		m.found = nil
	}
	for _, e := range found.entries {
		e.id = u.listedAs(e)
		if m := u.marked[e.id]; m != nil {
			m.found = append(m.found, e)
		}
	}
	return found.entries, len(found.vanished) == 0, nil
}

// bases returns the bases of the names of files that have, or could come to
// have, the unique-id of a marked message.
func (u *update) bases() map[string]bool {
	bases := make(map[string]bool, 2*len(u.order))
	for _, m := range u.order {
		bases[m.base], bases[string(m.id)] = true, true
	}
	for i := range u.drop.files { // those which have another id than their name says
		id, file := u.drop.seen.messages[i].ID, u.drop.files[i].name
		if base := baseOf(file); string(id) != base && id != parseName(base).uniqueID() {
			bases[base] = true
		}
	}
	return bases
}

// listedAs returns the unique-id under which Open listed this very file, or "".
func (u *update) listedAs(e *entry) pop3.UniqueID {
	d := u.drop
	id := e.ownID()
	if i, ok := d.seen.find(id); ok && d.files[i].same(&e.file) {
		return id
	}
	if u.byFile == nil { // rare: two files with one name
		u.byFile = make(map[vfs.FileID]int32, len(d.files))
		for i := range slices.Backward(d.files) { // of several links the first one counts
			u.byFile[d.files[i].id] = int32(i)
		}
	}
	if i, ok := u.byFile[e.file.id]; ok && d.files[i].same(&e.file) {
		return d.seen.messages[i].ID
	}
	return ""
}

// judge says what is true of the marked messages that a steady reading does not
// show: they are gone, unless another file has taken the name.
func (u *update) judge(near []*entry) {
	for _, m := range u.order {
		m.gone = len(m.found) == 0
	}
	var byBase map[string][]*removal
	for _, e := range near {
		if e.id != "" {
			continue
		}
		if byBase == nil {
			byBase = u.byBase()
		}
		for _, m := range byBase[e.base()] {
			u.replaced(m)
		}
		if m := u.marked[e.ownID()]; m != nil {
			u.replaced(m)
		}
	}
}

// doubtNames doubts what is known of the maildrop where a message is gone and its name is
// not: what has the name is no message, and must not be taken for it again.
func (u *update) doubtNames(r *reading) {
	gone := map[place]bool{}
	for _, m := range u.order {
		if i, _ := u.drop.seen.find(m.id); m.gone && !u.drop.files[i].gone() {
			gone[u.drop.files[i].place()] = true
		}
	}
	if len(gone) > 0 && slices.ContainsFunc(r.places, func(p place) bool { return gone[p] }) {
		u.drop.distrust()
	}
}

// byBase returns the marked messages by the bases of their names.
func (u *update) byBase() map[string][]*removal {
	byBase := make(map[string][]*removal, len(u.order))
	for _, m := range u.order {
		byBase[m.base] = append(byBase[m.base], m)
	}
	return byBase
}

// replaced notes that another file has the name of a marked message, if that is gone.
func (u *update) replaced(m *removal) {
	if m.gone {
		m.fail(errReplaced)
		u.drop.distrust()
	}
}

// unlink removes a message under all its names.
func (u *update) unlink(m *removal) {
	m.gone = true
	for _, e := range m.found {
		err := u.drop.open[e.file.folder].Remove(e.file.name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			m.gone = false // or renamed: the next pass finds out
		case err != nil:
			m.fail(err)
		default:
			m.folders[e.file.folder] = true
		}
	}
}

// sync makes the removals durable (P3-UPD-05). A message that somebody else
// removed needs it, too: that may not be durable yet.
func (u *update) sync() {
	for i := range folderNames {
		err := u.drop.sync(uint8(i))
		if err == nil {
			continue
		}
		absent := errors.Is(err, fs.ErrNotExist)
		for _, m := range u.order {
			elsewhere := m.folders[1-i] && !m.folders[i]
			if m.folders[i] || !elsewhere && !absent {
				m.fail(err)
			}
		}
	}
	// These may have been other folders than those it was removed from.
	if err := u.drop.store.leadsTo(u.drop.root, u.drop.home); err != nil {
		for _, m := range u.order {
			m.fail(err)
		}
	}
}

// result says which messages may still be there, and why.
func (u *update) result() error {
	failed := &maildrop.UpdateError{Err: u.err}
	for _, m := range u.order {
		if m.gone && m.err == nil {
			continue
		}
		failed.Remaining = append(failed.Remaining, m.id)
		if failed.Err == nil {
			failed.Err = m.err
		}
	}
	if len(failed.Remaining) == 0 {
		return nil
	}
	if failed.Err == nil {
		failed.Err = errRestless
	}
	return failed
}
