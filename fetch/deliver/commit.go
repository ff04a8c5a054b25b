package deliver

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"postfach/internal/vfs"
)

// syncs is how many files are synced at once: what waits for a file system's
// journal at the same time, the journal writes together. Each takes a thread, and
// a process that gets no more threads dies: with 16 it can do with 30 of them.
const syncs = 16

// commit makes staged messages durable and visible: every file is synced, then
// each gets the name that nameOf says in the other folder, then that one is synced,
// once for all. A file has no name before it is durable, and no message is
// delivered before its name is. Of a message that fails nothing stays, unless
// what failed was the folder's sync.
func commit(from, to vfs.Folder, batch []*Staged, nameOf func(*Staged) (string, error), add func(Record)) []error {
	errs := syncTogether(batch)
	named := false
	for i, s := range batch {
		if err := s.file.Close(); errs[i] == nil {
			errs[i] = err
		}
		if errs[i] == nil {
			errs[i] = move(from, to, s, nameOf)
		}
		if errs[i] != nil {
			from.Remove(s.tmp)
			continue
		}
		add(s.record)
		named = true
	}
	if !named {
		return errs
	}
	if err := to.Sync(); err != nil {
		for i := range errs {
			if errs[i] == nil {
				errs[i] = err
			}
		}
	}
	return errs
}

func move(from, to vfs.Folder, s *Staged, nameOf func(*Staged) (string, error)) error {
	name, err := nameOf(s)
	if err != nil {
		return err
	}
	return from.Rename(s.tmp, to, name)
}

// syncTogether makes the contents durable, as many at once as may be.
func syncTogether(batch []*Staged) []error {
	errs := make([]error, len(batch))
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(batch)); i = next.Add(1) - 1 {
			errs[i] = batch[i].file.Sync()
		}
	}
	var others sync.WaitGroup
	for range min(len(batch), syncs) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	return errs
}

// deliverOne is Deliver of a Stager.
func deliverOne(ctx context.Context, t Stager, r io.Reader, record func() (Record, bool)) error {
	staged, err := t.Stage(ctx, r, record)
	if staged == nil {
		return err
	}
	return t.Commit([]*Staged{staged})[0]
}
