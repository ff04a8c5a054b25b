package vfs

import (
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// stepwise: openat2 does not work here. Linux before 5.6 does not know it, nor do some
// filters of system calls.
var stepwise atomic.Bool

// openBelow opens a file in a folder in another one, with one call where that works.
func openBelow(dir int, name string) (int, error) {
	if stepwise.Load() {
		return openStepwise(dir, name)
	}
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{
		Flags:   openSeenFlags | unix.O_LARGEFILE,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		return fd, err
	}
	// EPERM may be the file's own.
	if fd, err = openStepwise(dir, name); err == nil {
		stepwise.Store(true)
	}
	return fd, err
}
