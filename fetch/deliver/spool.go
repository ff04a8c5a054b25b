package deliver

import (
	"bufio"
	"context"
	"errors"
	"io"

	"postfach/internal/vfs"
)

// writeBuffer makes few writes of many lines.
const writeBuffer = 64 << 10

// spool writes what r gives to a new file, through the writer that wrap
// returns, and syncs it. On an error the file is gone. A cancelled ctx is an
// error even when all octets came.
func spool(ctx context.Context, fsys vfs.FS, name string, r io.Reader, wrap func(io.Writer) io.Writer) error {
	f, err := fsys.Create(name, filePerm)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, writeBuffer)
	_, err = io.Copy(wrap(w), r)
	if err == nil {
		err = w.Flush()
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		fsys.Remove(name)
	}
	return err
}

// counter counts the octets that pass.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
