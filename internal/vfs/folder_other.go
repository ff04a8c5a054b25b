//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package vfs

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// A pathFolder is known by its path: here, whoever moves it moves it away from those who
// have it open.
type pathFolder struct{ path string }

func (f pathFolder) opened(info Info) (Folder, error) {
	if !info.Mode.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: f.path, Err: syscall.ENOTDIR}
	}
	return f, nil
}

func (f pathFolder) in(name string) string { return filepath.Join(f.path, name) }

func (pathFolder) ID() FileID { return FileID{} }

func (f pathFolder) OpenFolder(name string) (Folder, error) {
	info, err := f.Lstat(name)
	if err != nil {
		return nil, err
	}
	return pathFolder{f.in(name)}.opened(info)
}

func (f pathFolder) OpenSeen(name string) (File, Info, error) { return withInfo(OS{}.Open(f.in(name))) }

func (f pathFolder) ReadDir() ([]string, error) { return OS{}.ReadDir(f.path) }

func (f pathFolder) Names() func() ([]string, error) { return inOnePart(f.ReadDir) }

func (f pathFolder) Lstat(name string) (Info, error) { return OS{}.Lstat(f.in(name)) }

func (f pathFolder) Create(name string, perm fs.FileMode) (File, error) {
	return OS{}.Create(f.in(name), perm)
}

func (f pathFolder) Mkdir(name string, perm fs.FileMode) error { return OS{}.Mkdir(f.in(name), perm) }

func (f pathFolder) Link(oldname string, to Folder, newname string) error {
	return f.into("link", to, newname, func(path string) error { return OS{}.Link(f.in(oldname), path) })
}

func (f pathFolder) Rename(oldname string, to Folder, newname string) error {
	return f.into("rename", to, newname, func(path string) error { return OS{}.Rename(f.in(oldname), path) })
}

// into makes one call that gives something of this folder a name in another one.
func (f pathFolder) into(op string, to Folder, name string, call func(path string) error) error {
	other, ok := to.(pathFolder)
	if !ok {
		return &fs.PathError{Op: op, Path: f.in(name), Err: fs.ErrInvalid}
	}
	return call(other.in(name))
}

func (f pathFolder) Remove(name string) error { return OS{}.Remove(f.in(name)) }

func (f pathFolder) Sync() error { return OS{}.SyncDir(f.path) }

func (pathFolder) Close() error { return nil }
