package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/pop3"
)

// A drop is one opened maildrop. What it keeps of each message is small:
// thousands of sessions are open at the same time.
type drop struct {
	store    *Store
	root     string
	lock     vfs.Lock      // nil after Close
	home     vfs.FileID    // the folder that is locked
	folders  [2]vfs.FileID // new/ and cur/ in it; zero while they are missing
	messages []maildrop.Message
	files    []file  // of the messages with the same index
	byID     []int32 // indices in the order of the unique-ids
}

// A file says where a message was last seen, and which file it is, whatever
// its name may be by now.
type file struct {
	place            // the zero place: it is gone
	id    vfs.FileID // zero: could not be found out
	mtime int64
	// length is that of the file, with its line ends as they are.
	length int64
}

func fileOf(p place, info vfs.Info) file {
	return file{p, info.ID, info.ModTime.UnixNano(), info.Size}
}

// is reports whether info is of the very file that Open saw. An inode's number
// may be given to another file; then the time of its content is another, too,
// unless both were written in one tick of the file system's clock, and most
// often its length.
func (f file) is(info vfs.Info) bool {
	return f.id != vfs.FileID{} && f == fileOf(f.place, info)
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

// fill fixes what is in the maildrop (P3-LCK-07).
func (d *drop) fill(ctx context.Context) error {
	entries, err := d.scan(ctx)
	if err != nil {
		return err
	}
	d.nameTwins(entries)
	d.messages = make([]maildrop.Message, len(entries))
	d.files = make([]file, len(entries))
	d.byID = make([]int32, len(entries))
	for i, e := range entries {
		d.messages[i].ID = e.id
		d.files[i] = fileOf(e.place, e.info)
		d.byID[i] = int32(i)
	}
	slices.SortFunc(d.byID, func(a, b int32) int {
		return strings.Compare(string(d.messages[a].ID), string(d.messages[b].ID))
	})
	return d.measure(ctx, entries)
}

// measure fills in the sizes: those that are not known are counted. A message
// that cannot be read gets the length of its file, and to retrieve it fails. But
// when this machine is short of something, there is no session: a moment later
// the message could be read, and would be cut off for a size that was guessed.
func (d *drop) measure(ctx context.Context, entries []*entry) error {
	var buf []byte
	for i, e := range entries {
		size, known := d.store.sizes.wireSize(e)
		if known {
			d.messages[i].Size = size
			continue
		}
		if buf == nil {
			buf = make([]byte, 64<<10)
		}
		size, err := d.count(ctx, i, buf)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if shortage(err) {
			return err
		}
		if err != nil {
			d.store.log().Warn("message cannot be read", "file", e.path(d.root), "error", err)
			size = e.info.Size
		}
		d.messages[i].Size = size
	}
	return nil
}

// shortage reports whether err says nothing of the file, only of this moment.
func shortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

func (d *drop) count(ctx context.Context, i int, buf []byte) (int64, error) {
	f, _, err := d.openFile(ctx, i)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return d.store.sizes.count(ctx, f, buf)
}

// find returns the index of a message.
func (d *drop) find(id pop3.UniqueID) (i int, ok bool) {
	k, ok := slices.BinarySearchFunc(d.byID, id, func(i int32, id pop3.UniqueID) int {
		return strings.Compare(string(d.messages[i].ID), string(id))
	})
	if !ok {
		return 0, false
	}
	return int(d.byID[k]), true
}

// Messages implements maildrop.Maildrop.
func (d *drop) Messages() []maildrop.Message { return d.messages }

// Close implements maildrop.Maildrop.
func (d *drop) Close() error {
	if d.lock == nil {
		return nil
	}
	err := d.lock.Close()
	d.lock = nil
	return err
}
