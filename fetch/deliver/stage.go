package deliver

import (
	"context"
	"errors"
	"io"

	"postfach/internal/vfs"
)

// A Staged is a message that is at home, whole, but neither durable nor to be
// seen yet. Commit of the Target that made it ends it, one way or the other.
type Staged struct {
	record Record
	file   vfs.File // open: a sync tells of errors only who had the file open when they happened
	tmp    string   // its name in the folder where messages are staged
	name   string   // its later name, where that is known by now
}

// block is how much is read before it is written: few writes of many lines.
const block = 64 << 10

// A spooler writes messages to files of their own in an open folder. One goroutine uses
// it at a time.
type spooler struct {
	in  vfs.Folder
	buf []byte // a block; nil before the first message
}

// spool writes what r gives to a new file, and to also, which does not fail.
// Nothing is synced; the caller closes the file. On an error there is none. A cancelled ctx is an
// error even when all octets came.
func (s *spooler) spool(ctx context.Context, name string, r io.Reader, also io.Writer) (vfs.File, error) {
	f, err := s.in.Create(name, filePerm)
	if err != nil {
		return nil, err
	}
	err = s.copy(f, also, r)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = errors.Join(err, f.Close())
		s.in.Remove(name)
		return nil, err
	}
	return f, nil
}

// copy copies in whole blocks.
func (s *spooler) copy(w, also io.Writer, r io.Reader) error {
	if s.buf == nil {
		s.buf = make([]byte, block)
	}
	for {
		n, err := 0, error(nil)
		for n < len(s.buf) && err == nil {
			var k int
			k, err = r.Read(s.buf[n:])
			n += k
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n > 0 {
			if _, werr := w.Write(s.buf[:n]); werr != nil {
				return werr
			}
			also.Write(s.buf[:n]) // counts or hashes: it never fails
		}
		if err != nil {
			return nil
		}
	}
}

// stage spools a message and asks for its record; nil: it is not wanted.
func (s *spooler) stage(ctx context.Context, tmp string, r io.Reader, also io.Writer, record func() (Record, bool)) (*Staged, error) {
	f, err := s.spool(ctx, tmp, r, also)
	if err != nil {
		return nil, err
	}
	rec, ok := record()
	if !ok {
		return nil, errors.Join(f.Close(), s.in.Remove(tmp))
	}
	f.WriteOut()
	return &Staged{record: rec, file: f, tmp: tmp}, nil
}

// counter counts the octets that pass.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
