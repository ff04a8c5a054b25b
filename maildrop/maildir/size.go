package maildir

import (
	"context"
	"errors"
	"io"
	"sync"

	"postfach/internal/popwire"
	"postfach/internal/vfs"
)

// maxSizes bounds what a Store remembers of names that were wrong: about 15 MB.
const maxSizes = 1 << 17

// sizes knows which sizes were announced and were wrong.
type sizes struct {
	mu   sync.Mutex // guards lies
	lies map[lie]bool
}

// A lie is a size that was found to be wrong.
type lie struct {
	id   vfs.FileID
	wire int64
}

// wireSize returns the size of a message on the wire, if it can be known
// without reading it.
func (z *sizes) wireSize(e *entry) (int64, bool) {
	if e.sized && !z.lie(e, e.size) {
		return e.size, true
	}
	hint := e.size
	if e.sized {
		hint = e.name().size(e.file.length)
	}
	return hint, hint >= 0 && e.known() && !z.lie(e, hint)
}

func (z *sizes) lie(e *entry, wire int64) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return len(z.lies) > 0 && z.lies[lie{e.file.id, wire}]
}

// distrust makes the next Open count: this size was announced, and was wrong.
func (z *sizes) distrust(info vfs.Info, wire int64) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.lies == nil {
		z.lies = map[lie]bool{}
	}
	makeRoom(z.lies)
	z.lies[lie{info.ID, wire}] = true
}

// makeRoom forgets some of a full map: it is only memory, whatever goes can be
// found out again.
func makeRoom[K comparable, V any](m map[K]V) {
	for k := range m {
		if len(m) < maxSizes {
			return
		}
		delete(m, k)
	}
}

// count reads an open message of so many octets and returns its size on the wire. It
// does not ask for an end after them: a file that grows shows when it is retrieved.
func count(ctx context.Context, f io.Reader, octets int64, buf []byte) (int64, error) {
	var counter popwire.Counter
	for read := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := f.Read(buf)
		counter.Write(buf[:n])
		read += int64(n)
		if errors.Is(err, io.EOF) || err == nil && read == octets {
			return counter.Size(), nil
		}
		if err != nil {
			return 0, err
		}
	}
}
