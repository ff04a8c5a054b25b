package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Exists reports whether something has this name, if only a link. It also says yes
// where nobody can tell.
func Exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// Real follows the links in a path as far as there is something. After an error it
// returns the path as far as it is known.
func Real(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real, nil
	}
	parent := filepath.Dir(path)
	if parent == path || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	real, err = Real(parent)
	return filepath.Join(real, filepath.Base(path)), err
}

// Inside reports whether a path is a folder or lies in it, wherever links lead. With
// an error it is what the names say.
func Inside(folder, path string) (bool, error) {
	top, err1 := Real(folder)
	real, err2 := Real(path)
	rel, err3 := filepath.Rel(top, real)
	return err3 == nil && filepath.IsLocal(rel), errors.Join(err1, err2, err3)
}
