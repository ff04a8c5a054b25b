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
	err = f.use("open", name, func(dir *inode) (err error) {
		sub, err = f.fs.openFolder(dir, name, filepath.Join(f.name, name))
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

func (f *strictFolder) Create(name string, perm fs.FileMode) (file File, err error) {
	err = f.use("create", name, func(dir *inode) (err error) {
		file, err = f.fs.create(dir, name, perm)
		return err
	})
	return file, err
}

func (f *strictFolder) Mkdir(name string, perm fs.FileMode) error {
	return f.use("mkdir", name, func(dir *inode) error { return f.fs.mkdir(dir, name, perm) })
}

func (f *strictFolder) Link(oldname string, to Folder, newname string) error {
	return f.into("link", to, newname, func(dir, into *inode) error { return f.fs.link(dir, oldname, into, newname) })
}

func (f *strictFolder) Rename(oldname string, to Folder, newname string) error {
	return f.into("rename", to, newname, func(dir, into *inode) error { return f.fs.rename(dir, oldname, into, newname) })
}

// into is use of two folders.
func (f *strictFolder) into(op string, to Folder, name string, call func(dir, into *inode) error) error {
	return f.use(op, name, func(dir *inode) error {
		other, ok := to.(*strictFolder)
		if !ok || other.dir == nil || other.fs != f.fs || other.boot != f.boot {
			return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
		}
		return call(dir, other.dir)
	})
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
