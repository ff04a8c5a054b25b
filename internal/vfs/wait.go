package vfs

import (
	"errors"
	"time"
)

// lockCheck is how often somebody who waits for a lock looks again.
const lockCheck = 20 * time.Millisecond

// LockWithin is fsys.Lock, and waits until the one who has the lock gives it back,
// or the time is over: ErrLocked.
func LockWithin(fsys FS, dir string, wait time.Duration) (Lock, error) {
	lock, err := fsys.Lock(dir)
	if !errors.Is(err, ErrLocked) {
		return lock, err
	}
	look := time.NewTicker(lockCheck)
	defer look.Stop()
	deadline := time.Now().Add(wait)
	for errors.Is(err, ErrLocked) && time.Now().Before(deadline) {
		<-look.C
		lock, err = fsys.Lock(dir)
	}
	return lock, err
}
