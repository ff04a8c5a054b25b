//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Open implements FS.
func (OS) Open(name string) (File, error) { return openRegular(name, os.O_RDONLY, 0) }

// Create implements FS.
func (OS) Create(name string, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Lstat implements FS.
func (OS) Lstat(name string) (Info, error) {
	fi, err := os.Lstat(name)
	if err != nil {
		return Info{}, err
	}
	return infoOf(fi), nil
}

// Stat implements FS.
func (OS) Stat(name string) (Info, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return Info{}, err
	}
	return infoOf(fi), nil
}

const (
	openFlags    = 0
	openDirFlags = 0
)

// SyncDir implements FS. There is no such operation here: the system itself
// sees to the names.
func (OS) SyncDir(string) error { return nil }

// OpenFolder implements FS.
func (o OS) OpenFolder(name string) (Folder, error) {
	info, err := o.Stat(name)
	if err != nil {
		return nil, err
	}
	return pathFolder{name}.opened(info)
}

// Lock implements FS. A lock that could outlive its owner would be worse than
// none, so there is none on this system.
func (OS) Lock(dir string) (Lock, error) {
	return nil, fmt.Errorf("lock %q: folders cannot be locked on this system: %w", dir, errors.ErrUnsupported)
}

func identity(fs.FileInfo) (FileID, time.Time, Owner) { return FileID{}, time.Time{}, Owner{} }
