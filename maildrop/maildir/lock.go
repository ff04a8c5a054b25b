package maildir

import (
	"context"
	"errors"
	"io"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
)

// lockPause is how long to wait between two tries: short, because the session
// that has the lock may be about to end, and a try costs next to nothing.
const lockPause = 25 * time.Millisecond

// lock takes the lock of a Maildir (P3-LCK-01). The lock is the kernel's and is
// on the folder itself: it dies with the process (P3-LCK-05).
func (s *Store) lock(ctx context.Context, root string) (io.Closer, error) {
	wait := s.LockWait
	if wait == 0 {
		wait = DefaultLockWait
	}
	deadline := time.Now().Add(wait)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lock, err := s.fs().Lock(root)
		if !errors.Is(err, vfs.ErrLocked) {
			return lock, err
		}
		if !time.Now().Before(deadline) {
			return nil, maildrop.ErrLocked
		}
		if err := sleep(ctx, min(lockPause, time.Until(deadline))); err != nil {
			return nil, err
		}
	}
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
