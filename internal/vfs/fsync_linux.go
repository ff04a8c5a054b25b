package vfs

import "golang.org/x/sys/unix"

// fsync makes durable what was written.
func fsync(fd int) error { return unix.Fsync(fd) }

// writeOut begins to write what is in memory of the file.
func writeOut(fd int) error {
	return unix.SyncFileRange(fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE)
}
