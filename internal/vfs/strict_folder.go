package vfs

import (
	"io/fs"
	"path/filepath"
)

// A strictFolder is an open folder of a Strict.
type strictFolder struct {
	fs    *Strict
	dir   *inode // nil after Close
	id    FileID
	name  string
	boot  int
	locks bool // Close gives a lock back
}

// use makes one call with the inode, if the folder can still be used.
func (f *strictFolder) use(op, name string, call func(dir *inode) error) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.dir == nil || f.boot != f.fs.boot {
		return &fs.PathError{Op: op, Path: filepath.Join(f.name, name), Err: fs.ErrClosed}
	}
	return call(f.dir)
}

func (f *strictFolder) ID() FileID { return f.id }

func (f *strictFolder) OpenFolder(name string) (sub Folder, err error) {
	err = f.use("open", name, func(dir *inode) error {
		i, err := f.fs.folder(dir, "open", name)
		if err == nil {
			sub = &strictFolder{fs: f.fs, dir: i, id: i.id(), name: filepath.Join(f.name, name), boot: f.boot}
		}
		return err
	})
	return sub, err
}

func (f *strictFolder) OpenSeen(name string) (file File, info Info, err error) {
	err = f.use("open", name, func(dir *inode) (err error) {
		file, err = f.fs.openAt(dir, name)
		return err
	})
	return withInfo(file, err)
}

func (f *strictFolder) ReadDir() (names []string, err error) {
	err = f.use("readdir", "", func(dir *inode) (err error) {
		names, err = f.fs.readDir(dir, "")
		return err
	})
	return names, err
}

// strictPart is how many names come at a time: few, so that tests meet several parts.
const strictPart = 3

func (f *strictFolder) Names() func() ([]string, error) {
	var left []string
	begun := false
	return func() (part []string, err error) {
		if !begun {
			if left, err = f.ReadDir(); err != nil {
				return nil, err
			}
			begun = true
		}
		n := min(strictPart, len(left))
		part, left = left[:n:n], left[n:]
		return part, nil
	}
}

func (f *strictFolder) Lstat(name string) (info Info, err error) {
	err = f.use("lstat", name, func(dir *inode) (err error) {
		info, err = f.fs.lstat(dir, name)
		return err
	})
	return info, err
}

func (f *strictFolder) Link(oldname, newname string) error {
	return f.use("link", newname, func(dir *inode) error { return f.fs.link(dir, oldname, newname) })
}

func (f *strictFolder) Rename(oldname, newname string) error {
	return f.use("rename", newname, func(dir *inode) error { return f.fs.rename(dir, oldname, newname) })
}

func (f *strictFolder) Remove(name string) error {
	return f.use("remove", name, func(dir *inode) error { return f.fs.remove(dir, name) })
}

func (f *strictFolder) Sync() error {
	return f.use("syncdir", "", func(dir *inode) error { return f.fs.syncDir(dir, "") })
}

func (f *strictFolder) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.dir == nil {
		return fs.ErrClosed
	}
	if f.locks && f.boot == f.fs.boot {
		f.dir.locked = false
	}
	f.dir = nil
	return nil
}
