package maildir

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"postfach/internal/popwire"
	"postfach/internal/vfs"
)

// maxSizes bounds the sizes that a Store remembers: about 15 MB.
const maxSizes = 1 << 17

// settled is how old a file must be before its counted size is remembered: by
// then a further change moves its times.
const settled = 2 * time.Second

// sizes remembers what was found out by reading, so that an unchanged message
// is not read twice for its size.
type sizes struct {
	mu      sync.Mutex // guards both
	counted map[fileState]int64
	lies    map[lie]bool
}

// A fileState changes whenever the content of a file does.
type fileState struct {
	id                      vfs.FileID
	length, modified, named int64
}

func stateOf(info vfs.Info) fileState {
	return fileState{info.ID, info.Size, info.ModTime.UnixNano(), info.ChangeTime.UnixNano()}
}

// A lie is a W= that was found to be wrong.
type lie struct {
	id   vfs.FileID
	wire int64
}

// wireSize returns the size of a message on the wire, if it can be known
// without reading it. A name is only a hint: S= that is not the file's length
// says that the whole name cannot be believed, and W= must be possible.
func (z *sizes) wireSize(e *entry) (int64, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if size, ok := z.counted[stateOf(e.info)]; ok {
		return size, true
	}
	length, wire := e.name.hints()
	believed := e.known() && wire >= e.info.Size && wire <= 2*e.info.Size+2 &&
		(length < 0 || length == e.info.Size) && !z.lies[lie{e.info.ID, wire}]
	return wire, believed
}

func (z *sizes) remember(info vfs.Info, wire int64) {
	young := time.Now().Add(-settled)
	if info.ID == (vfs.FileID{}) || info.ModTime.After(young) || info.ChangeTime.After(young) {
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.counted == nil {
		z.counted = map[fileState]int64{}
	}
	makeRoom(z.counted)
	z.counted[stateOf(info)] = wire
}

// distrust makes the next Open count: this size was announced, and was wrong.
func (z *sizes) distrust(info vfs.Info, wire int64) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.counted, stateOf(info))
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

// count reads an open message to its end and returns its size on the wire.
func (z *sizes) count(ctx context.Context, f vfs.File, buf []byte) (int64, error) {
	info, err := f.Info()
	if err != nil {
		return 0, err
	}
	var counter popwire.Counter
	var length int64
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := f.Read(buf)
		counter.Write(buf[:n])
		length += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if length == info.Size {
		z.remember(info, counter.Size())
	}
	return counter.Size(), nil
}
