package vfs

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// MkdirAll makes a folder and those above it that are missing, durably. A
// folder that is there already is left as it is.
func MkdirAll(fsys FS, dir string, perm fs.FileMode) error {
	err := fsys.Mkdir(dir, perm)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		if err := MkdirAll(fsys, filepath.Dir(dir), perm); err != nil {
			return err
		}
		err = fsys.Mkdir(dir, perm)
	}
	// One that exists may be new and not yet durable: synced either way.
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(filepath.Dir(dir))
}
