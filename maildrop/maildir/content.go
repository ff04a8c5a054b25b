package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"postfach/internal/popwire"
	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/pop3"
)

// Content implements maildrop.Maildrop. The reader counts: when the octets are
// not as many as Open announced, or the file was written to while it was read,
// it ends with maildrop.ErrChanged and never with io.EOF, so that neither a part
// of a message nor a mixture of two can look like one.
func (d *drop) Content(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	i, ok := d.find(id)
	if !ok {
		return nil, maildrop.ErrGone
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.keepOpen(d.files[i].folder)
	defer d.closeOthers()
	f, info, err := d.openFile(ctx, i)
	if err != nil {
		return nil, fmt.Errorf("message %q: %w", id, err)
	}
	return &content{file: f, opened: fileOf(place{}, info), drop: d, index: i, want: d.seen.messages[i].Size}, nil
}

// find returns the index of a message. Most clients ask for one after the other.
func (d *drop) find(id pop3.UniqueID) (i int, ok bool) {
	if d.next < len(d.seen.messages) && d.seen.messages[d.next].ID == id {
		i, ok = d.next, true
	} else {
		i, ok = d.seen.find(id)
	}
	d.next = i + 1
	return i, ok
}

type content struct {
	file    vfs.File
	opened  file // what it was before the first Read; its name is not used
	drop    *drop
	index   int
	want    int64
	octets  int64 // that were read
	counter popwire.Counter
	counted maildrop.Counter // who counts instead; nil: counter does
	err     error            // how it ended
}

// CountedBy implements maildrop.Countable.
func (c *content) CountedBy(counter maildrop.Counter) { c.counted = counter }

// size is that of what was read.
func (c *content) size() int64 {
	if c.counted != nil {
		return c.counted.Size()
	}
	return c.counter.Size()
}

// Read says io.EOF after the last octets and not with them: who has what it wanted does not
// ask again, and who counts has counted all by then. Once it has as many octets as the file
// had it reads no more, so no Read is for the end alone, and a file that grows has an end.
func (c *content) Read(p []byte) (n int, err error) {
	if c.err != nil {
		return 0, c.err
	}
	if err = io.EOF; c.octets < c.opened.length {
		n, err = c.file.Read(p)
	}
	c.octets += int64(n)
	if c.counted == nil {
		c.counter.Write(p[:n])
	}
	if errors.Is(err, io.EOF) {
		err = c.end()
	}
	c.err = err
	return n, err
}

// end returns io.EOF, unless the size is another one, or the file was written to since it
// was opened. What was written in the same tick of the file system's clock as the content
// before (a few milliseconds; on old formats two seconds), with the same length, cannot be
// seen. The time of the inode cannot help: it moves with flags, too.
func (c *content) end() error {
	info, err := c.file.Info()
	if err != nil {
		return err
	}
	if c.size() != c.want || !c.opened.is(info) {
		c.changed()
		return maildrop.ErrChanged
	}
	return io.EOF
}

// changed sees to it that the next Open counts this message.
func (c *content) changed() {
	info, err := c.file.Info()
	if err != nil {
		return
	}
	c.drop.store.sizes.distrust(info, c.want)
	c.drop.distrust()
	c.drop.store.log().Warn("message is not what was announced",
		"file", c.drop.files[c.index].place().path(c.drop.root), "announced", c.want, "octets", info.Size)
}

func (c *content) Close() error { return c.file.Close() }

// errRestless: other programs rename files faster than they can be found.
var errRestless = errors.New("the Maildir changes too fast to find the message")

// openFile opens a message, wherever it is by now.
func (d *drop) openFile(ctx context.Context, i int) (vfs.File, vfs.Info, error) {
	for range maxReadings {
		if d.files[i].gone() {
			return nil, vfs.Info{}, maildrop.ErrGone
		}
		f, info, err := d.openHere(i)
		if errors.Is(err, maildrop.ErrChanged) {
			d.distrust()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return f, info, err
		}
		if err := d.relocate(ctx, i); err != nil {
			return nil, vfs.Info{}, err
		}
	}
	return nil, vfs.Info{}, errRestless
}

// errUnknown: nothing could be found out about the file when the maildrop was opened.
var errUnknown = errors.New("the message could not be examined")

// openSeen opens the file at a place: in the folder, where that is open, and else with
// one call from the one that is locked.
func (d *drop) openSeen(p place) (vfs.File, vfs.Info, error) {
	if d.lock == nil {
		return nil, vfs.Info{}, fs.ErrClosed
	}
	if f := d.open[folderIndex(p.folder)]; f != nil {
		return f.OpenSeen(p.name)
	}
	return d.lock.OpenSeen(p.folder + "/" + p.name)
}

// openHere opens a message where it was last seen. Another file in its place is
// as good as none. One with the same inode is the message, written anew, or
// another one that came after it: nobody may take it for what Open saw.
func (d *drop) openHere(i int) (vfs.File, vfs.Info, error) {
	want := &d.files[i]
	if want.id == (vfs.FileID{}) { // whatever is there now, nobody knows what was
		return nil, vfs.Info{}, errUnknown
	}
	f, info, err := d.openSeen(want.place())
	if err != nil {
		return nil, vfs.Info{}, d.whyNot(want, err)
	}
	if err := want.instead(info); err != nil {
		f.Close()
		return nil, vfs.Info{}, err
	}
	return f, info, nil
}

// instead says what info is, where it is not the file that Open saw.
func (f *file) instead(info vfs.Info) error {
	switch {
	case f.is(info):
		return nil
	case f.id == info.ID:
		return maildrop.ErrChanged
	}
	return fs.ErrNotExist
}

// whyNot returns the error of a file that could not be opened. What is no file any more,
// or another one that nobody may read, is as good as none, too.
func (d *drop) whyNot(want *file, err error) error {
	if errors.Is(err, fs.ErrNotExist) || d.lock == nil {
		return err
	}
	if info, lstatErr := d.lstat(want.place()); lstatErr == nil {
		return cmp.Or(want.instead(info), err)
	}
	return err
}
