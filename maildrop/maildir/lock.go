package maildir

import (
	"context"
	"errors"
	"fmt"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
)

// lockPause is how long to wait between two tries: short, because the session
// that has the lock may be about to end, and a try costs next to nothing.
const lockPause = 25 * time.Millisecond

// errMoved: what the path leads to is not the folder that is locked. Its disk
// may not be mounted any more: nothing in it is known to be gone.
var errMoved = errors.New("another folder is in the place of the one that was opened")

// lock takes the lock of a Maildir (P3-LCK-01). The lock is the kernel's and is
// on the folder itself: it dies with the process (P3-LCK-05).
func (s *Store) lock(ctx context.Context, root string) (vfs.Lock, error) {
	wait := s.LockWait
	if wait == 0 {
		wait = DefaultLockWait
	}
	deadline := time.Now().Add(wait)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lock, err := s.lockOnce(root)
		busy, moved := errors.Is(err, vfs.ErrLocked), errors.Is(err, errMoved)
		if !busy && !moved {
			return lock, err
		}
		if !time.Now().Before(deadline) {
			if moved {
				return nil, err
			}
			return nil, maildrop.ErrLocked
		}
		pause := min(lockPause, time.Until(deadline))
		if err := maildrop.Rest(ctx, func() error { return sleep(ctx, pause) }); err != nil {
			return nil, err
		}
	}
}

// lockOnce tries it once. A folder that takes the other's place just then is not
// the one that is locked.
func (s *Store) lockOnce(root string) (vfs.Lock, error) {
	lock, err := s.fs().Lock(root)
	if err != nil {
		return nil, err
	}
	if err := s.leadsTo(root, lock.ID()); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// leadsTo returns an error unless the path leads to this very folder.
func (s *Store) leadsTo(root string, id vfs.FileID) error {
	info, err := s.fs().Stat(root)
	if err != nil {
		return err
	}
	if info.ID != id {
		return fmt.Errorf("%s: %w", root, errMoved)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
