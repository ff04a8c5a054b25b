package maildir

import (
	"path/filepath"

	"postfach/internal/vfs"
)

// lockThrough locks a folder of the inner file system. What is done through the lock is
// done by its path on the outer one, so that a test that changes an operation there
// changes it in open folders, too.
func lockThrough(outer, inner vfs.FS, dir string) (vfs.Lock, error) {
	lock, err := inner.Lock(dir)
	if err != nil {
		return nil, err
	}
	return throughFolder{lock, outer, dir}, nil
}

type throughFolder struct {
	vfs.Folder
	fs   vfs.FS
	path string
}

func (f throughFolder) in(name string) string { return filepath.Join(f.path, name) }

func (f throughFolder) OpenFolder(name string) (vfs.Folder, error) {
	sub, err := f.Folder.OpenFolder(name)
	if err != nil {
		return nil, err
	}
	return throughFolder{sub, f.fs, f.in(name)}, nil
}

func (f throughFolder) OpenSeen(name string) (vfs.File, vfs.Info, error) {
	return f.fs.OpenSeen(f.in(name))
}

func (f throughFolder) ReadDir() ([]string, error) { return f.fs.ReadDir(f.path) }

func (f throughFolder) Names() func() ([]string, error) {
	read := false
	return func() ([]string, error) {
		if read {
			return nil, nil
		}
		read = true
		return f.ReadDir()
	}
}

func (f throughFolder) Lstat(name string) (vfs.Info, error) { return f.fs.Lstat(f.in(name)) }
func (f throughFolder) Link(oldname, newname string) error {
	return f.fs.Link(f.in(oldname), f.in(newname))
}

func (f throughFolder) Rename(oldname, newname string) error {
	return f.fs.Rename(f.in(oldname), f.in(newname))
}
func (f throughFolder) Remove(name string) error { return f.fs.Remove(f.in(name)) }
func (f throughFolder) Sync() error              { return f.fs.SyncDir(f.path) }
