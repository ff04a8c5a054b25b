//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

import (
	"io/fs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	openFlags    = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	openDirFlags = syscall.O_NOFOLLOW | syscall.O_DIRECTORY
)

// SyncDir implements FS.
func (OS) SyncDir(name string) error {
	f, err := openFolder(unix.AT_FDCWD, name, name, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func identity(fi fs.FileInfo) (FileID, time.Time, Owner) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return FileID{}, time.Time{}, Owner{}
	}
	// The types differ between systems.
	return FileID{Device: uint64(st.Dev), Inode: uint64(st.Ino)}, changeTime(st), Owner{Known: true, UID: st.Uid, GID: st.Gid}
}
