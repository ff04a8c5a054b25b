package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
)

// A drop is one opened maildrop. What it keeps of each message is small, and shared
// with the sessions before and after: thousands of them are open at the same time.
type drop struct {
	store   *Store
	root    string
	lock    vfs.Lock      // nil after Close
	home    vfs.FileID    // the folder that is locked
	folders [2]vfs.FileID // new/ and cur/ in it; zero while they are missing
	open    [2]vfs.Folder // the same, while something is done in them
	kept    [2]bool       // which of them stay open between messages; see keepOpen
	read    int           // messages since the last Pause
	next    int           // the index of the message behind the one that was read last

	seen  *snapshot // what Open found
	files []file    // those of seen; when own is set, they say where each is by now
	own   bool

	before memento // what was remembered of this maildrop
	reused bool    // seen is that of an earlier session
	fresh  int     // how many files were examined
	moved  bool    // a message was looked for under another name
	doubt  bool    // see distrust
}

// Open implements maildrop.Store.
func (s *Store) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	d, err := s.open(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("open maildrop %q: %w", user, err)
	}
	return d, nil
}

func (s *Store) open(ctx context.Context, user string) (*drop, error) {
	root, err := s.root(user)
	if err != nil {
		return nil, err
	}
	lock, err := s.lock(ctx, root)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.provide(root); err == nil {
			lock, err = s.lock(ctx, root)
		}
	}
	if err != nil {
		return nil, noUser(err)
	}
	d := &drop{store: s, root: root, lock: lock, home: lock.ID()}
	if err := d.fill(ctx); err != nil {
		lock.Close() // P3-LCK-03
		return nil, err
	}
	return d, nil
}

// fill fixes what is in the maildrop (P3-LCK-07): what the session before has found,
// when nothing can have changed since, and else what a scan finds.
func (d *drop) fill(ctx context.Context) error {
	defer d.closeFolders()
	d.before = d.store.recall(d.root, d.home)
	before, doubt := d.before.snapshot, d.before.doubt
	if before != nil && !doubt {
		same, err := d.unchanged(ctx, before)
		if err != nil {
			return err
		}
		if same != nil {
			d.reuse(same)
			return nil
		}
	}
	begun := time.Now() // before the look at each file
	found, err := d.scan(ctx, knownFrom(before, doubt))
	if err != nil {
		return err
	}
	named := d.nameTwins(found.entries)
	d.take(found, begun.Add(-settledAfter))
	d.seen.hold(before)
	sure, err := d.measure(ctx, found.entries)
	if err != nil {
		return err
	}
	d.seen.whole = found.whole && named && sure && !d.moved
	d.seen.fresh = d.fresh
	if before != nil && d.before.saved != before.folders {
		d.seen.fresh += before.fresh
	}
	d.files, d.own = d.seen.files, false
	if before == nil || before.folders != found.folders || d.before.since.IsZero() {
		d.before.since = found.seen
	}
	d.remember()
	return nil
}

// reuse takes over the snapshot of an earlier session.
func (d *drop) reuse(x *snapshot) {
	d.seen, d.files, d.reused = x, x.files, true
	for i := range x.folders {
		d.folders[i] = x.folders[i].id
	}
	if x != d.before.snapshot || !d.before.kept {
		d.remember()
	}
}

// remember keeps what was found for the next session.
func (d *drop) remember() {
	d.before.root, d.before.snapshot, d.before.doubt = d.root, d.seen, d.doubt
	d.store.memory.keep(d.before, d.store.bound())
}

// take makes the snapshot of what a scan has found, but for the sizes. Files that changed
// after the limit are young.
func (d *drop) take(found scan, limit time.Time) {
	x := &snapshot{
		home: d.home, folders: found.folders,
		messages: make([]maildrop.Message, len(found.entries)),
		files:    make([]file, len(found.entries)),
	}
	for i, e := range found.entries {
		x.messages[i].ID = e.id
		x.files[i] = e.file
		x.text += int64(len(e.file.name))
		if !startsWith(e.file.name, e.id) {
			x.text += int64(len(e.id))
		}
		if young(e.changed, limit) {
			x.unsettled = append(x.unsettled, int32(i))
		}
	}
	d.seen, d.files, d.own = x, x.files, true
}

// measure fills in the sizes: those that are not known are counted. A message
// that cannot be read gets the length of its file, and to retrieve it fails; sure is
// false then. But when this machine is short of something, there is no session: a
// moment later the message could be read, and would be cut off for a size that was
// guessed.
func (d *drop) measure(ctx context.Context, entries []*entry) (sure bool, err error) {
	var unknown []int
	for i, e := range entries {
		size, known := d.store.sizes.wireSize(e)
		d.seen.messages[i].Size = size
		if !known {
			unknown = append(unknown, i)
		}
	}
	errs := d.countAll(ctx, unknown)
	sure = true
	for k, i := range unknown {
		if errs[k] != nil && ctx.Err() == nil { // perhaps it was renamed, or too many were open
			errs[k] = d.count(ctx, i)
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if shortage(errs[k]) {
			return false, errs[k]
		}
		if errs[k] != nil {
			d.store.log().Warn("message cannot be read", "file", entries[i].place().path(d.root), "error", errs[k])
			d.seen.messages[i].Size = entries[i].file.length
			d.seen.unsettled, sure = append(d.seen.unsettled, int32(i)), false
		}
	}
	return sure, nil
}

// countAll counts messages where they were last seen, with what help there is.
func (d *drop) countAll(ctx context.Context, indices []int) []error {
	errs := make([]error, len(indices))
	if len(indices) == 0 {
		return nil
	}
	d.store.share(ctx, len(indices), manyCounts, hands, func() func(int) {
		buf := make([]byte, countBuffer)
		return func(k int) { errs[k] = d.countHere(ctx, indices[k], buf) }
	})
	return errs
}

// countBuffer is large enough for most messages.
const countBuffer = 64 << 10

// shortage reports whether err says nothing of the file, only of this moment.
func shortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// count counts a message, wherever it is by now.
func (d *drop) count(ctx context.Context, i int) error {
	f, info, err := d.openFile(ctx, i)
	if err != nil {
		return err
	}
	defer f.Close()
	d.seen.messages[i].Size, err = count(ctx, f, info.Size, make([]byte, countBuffer))
	return err
}

// countHere counts a message where it was last seen. It may be called for several
// messages at the same time.
func (d *drop) countHere(ctx context.Context, i int, buf []byte) error {
	f, info, err := d.openHere(i)
	if err != nil {
		return err
	}
	defer f.Close()
	d.seen.messages[i].Size, err = count(ctx, f, info.Size, buf)
	return err
}

// Messages implements maildrop.Maildrop.
func (d *drop) Messages() []maildrop.Message { return d.seen.messages }

// TotalSize implements maildrop.Summed.
func (d *drop) TotalSize() int64 { return d.seen.sum() }

// Close implements maildrop.Maildrop. The next session need not wait for the index.
func (d *drop) Close() error {
	if d.lock == nil {
		return nil
	}
	d.closeFolders()
	if d.own { // what moved is known by now
		d.remember()
	}
	err := d.lock.Close()
	d.lock = nil
	d.store.save(d)
	return err
}

// distrust is called when a file is not the one that Open found: somebody has written
// into it, or put another one in its place, which the times of the folders do not
// show. The next session looks at each file again.
func (d *drop) distrust() {
	if d.doubt {
		return
	}
	d.doubt, d.before.saved = true, [2]folderTime{}
	d.store.memory.distrust(d.root)
	d.store.removeIndex(d.root)
}
