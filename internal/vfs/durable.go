package vfs

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
)

// WriteFile replaces the content of a file, or makes it, so that after any
// crash the file is the old one or the new one, whole. When it returns nil the
// new content is durable; on an error the file is one of the two. What an
// interrupted call leaves behind begins with "." and the file's name.
func WriteFile(fsys FS, name string, content []byte, perm fs.FileMode) error {
	dir, base := filepath.Split(name)
	tmp := dir + "." + base + "." + rand.Text()
	if err := writeSynced(fsys, tmp, content, perm); err != nil {
		fsys.Remove(tmp)
		return err
	}
	if err := fsys.Rename(tmp, name); err != nil {
		fsys.Remove(tmp)
		return err
	}
	return fsys.SyncDir(filepath.Dir(name))
}

func writeSynced(fsys FS, name string, content []byte, perm fs.FileMode) error {
	f, err := fsys.Create(name, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

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
