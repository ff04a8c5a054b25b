//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const (
	openFlags    = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	openDirFlags = syscall.O_NOFOLLOW | syscall.O_DIRECTORY
)

// SyncDir implements FS.
func (OS) SyncDir(name string) error {
	f, err := openFile(name, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// openFile is os.OpenFile for what never blocks. Package os finds that out by
// itself, with four system calls more.
func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	for {
		fd, err := syscall.Open(name, flag|syscall.O_CLOEXEC, uint32(perm.Perm()))
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), name), nil
		case !errors.Is(err, syscall.EINTR):
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

func identity(fi fs.FileInfo) (FileID, time.Time, Owner) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return FileID{}, time.Time{}, Owner{}
	}
	// The types differ between systems.
	return FileID{Device: uint64(st.Dev), Inode: uint64(st.Ino)}, changeTime(st), Owner{Known: true, UID: st.Uid, GID: st.Gid}
}
