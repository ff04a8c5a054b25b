package vfs

import (
	"io/fs"
	"path/filepath"
)

// LockThrough locks a folder of the inner file system. What is done through the lock is
// done by its path on the outer one, so that a test that changes an operation there
// changes it in open folders, too.
func LockThrough(outer, inner FS, dir string) (Lock, error) {
	lock, err := inner.Lock(dir)
	return through(outer, dir, lock, err)
}

// OpenThrough is LockThrough without the lock.
func OpenThrough(outer, inner FS, dir string) (Folder, error) {
	folder, err := inner.OpenFolder(dir)
	return through(outer, dir, folder, err)
}

func through(outer FS, dir string, folder Folder, err error) (Folder, error) {
	if err != nil {
		return nil, err
	}
	return throughFolder{folder, outer, dir}, nil
}

type throughFolder struct {
	Folder
	fs   FS
	path string
}

func (f throughFolder) in(name string) string { return filepath.Join(f.path, name) }

func (f throughFolder) OpenFolder(name string) (Folder, error) {
	sub, err := f.Folder.OpenFolder(name)
	return through(f.fs, f.in(name), sub, err)
}

func (f throughFolder) OpenSeen(name string) (File, Info, error) {
	return withInfo(f.fs.Open(f.in(name)))
}

func (f throughFolder) ReadDir() ([]string, error) { return f.fs.ReadDir(f.path) }

func (f throughFolder) Names() func() ([]string, error) { return inOnePart(f.ReadDir) }

func (f throughFolder) Lstat(name string) (Info, error) { return f.fs.Lstat(f.in(name)) }

func (f throughFolder) Create(name string, perm fs.FileMode) (File, error) {
	return f.fs.Create(f.in(name), perm)
}

func (f throughFolder) Mkdir(name string, perm fs.FileMode) error {
	return f.fs.Mkdir(f.in(name), perm)
}

func (f throughFolder) Link(oldname string, to Folder, newname string) error {
	return f.fs.Link(f.in(oldname), to.(throughFolder).in(newname))
}

func (f throughFolder) Rename(oldname string, to Folder, newname string) error {
	return f.fs.Rename(f.in(oldname), to.(throughFolder).in(newname))
}
func (f throughFolder) Remove(name string) error { return f.fs.Remove(f.in(name)) }
func (f throughFolder) Sync() error              { return f.fs.SyncDir(f.path) }
