package vfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// rename is os.Rename, which looks first whether a folder has the new name.
// Mostly nothing has it, and then one system call does.
func rename(oldname, newname string) error {
	if unix.Renameat2(unix.AT_FDCWD, oldname, unix.AT_FDCWD, newname, unix.RENAME_NOREPLACE) == nil {
		return nil
	}
	return os.Rename(oldname, newname)
}
