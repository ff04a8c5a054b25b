package maildir

import (
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
// not as many as Open announced it ends with maildrop.ErrChanged and never with
// io.EOF, so that no part of a message can look like all of it.
func (d *drop) Content(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	i, ok := d.find(id)
	if !ok {
		return nil, maildrop.ErrGone
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.openFile(ctx, i)
	if err != nil {
		return nil, fmt.Errorf("message %q: %w", id, err)
	}
	return &content{file: f, drop: d, index: i, want: d.messages[i].Size}, nil
}

type content struct {
	file    vfs.File
	drop    *drop
	index   int
	want    int64
	counter popwire.Counter
	err     error // how it ended
}

func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.file.Read(p)
	c.counter.Write(p[:n])
	size := c.counter.Size()
	switch {
	case errors.Is(err, io.EOF) && size != c.want,
		size > c.want+2: // Size may count a line end that is still to come; without this, a file that grows would have no end
		err = maildrop.ErrChanged
		c.changed()
	}
	c.err = err
	return n, err
}

// changed sees to it that the next Open counts this message.
func (c *content) changed() {
	info, err := c.file.Info()
	if err != nil {
		return
	}
	c.drop.store.sizes.distrust(info, c.want)
	c.drop.store.log().Warn("message has not the announced size",
		"file", c.drop.files[c.index].path(c.drop.root), "announced", c.want, "octets", info.Size)
}

func (c *content) Close() error { return c.file.Close() }

// errRestless: other programs rename files faster than they can be found.
var errRestless = errors.New("the Maildir changes too fast to find the message")

// openFile opens a message, wherever it is by now.
func (d *drop) openFile(ctx context.Context, i int) (vfs.File, error) {
	for range maxReadings {
		if d.files[i].folder == "" {
			return nil, maildrop.ErrGone
		}
		f, err := d.openHere(i)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		if err := d.relocate(ctx, i); err != nil {
			return nil, err
		}
	}
	return nil, errRestless
}

// openHere opens a message where it was last seen. Another file in its place is
// as good as none.
func (d *drop) openHere(i int) (vfs.File, error) {
	f, err := d.store.fs().Open(d.files[i].path(d.root))
	if err != nil {
		return nil, err
	}
	info, err := f.Info()
	if want := d.files[i].id; err == nil && want != (vfs.FileID{}) && info.ID != want {
		err = fs.ErrNotExist
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
