package vfs

import (
	"io/fs"
	"os"
)

// OS is the file system of the machine.
type OS struct{}

// Append implements FS.
func (OS) Append(name string, perm fs.FileMode) (File, error) {
	return openRegular(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, perm)
}

// openRegular looks before it opens, because to open a device may already do
// something, and again after, because the name may lead to another file by
// then.
func openRegular(name string, flag int, perm fs.FileMode) (File, error) {
	fi, err := os.Lstat(name)
	switch {
	case err == nil && !fi.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	case err != nil && flag&os.O_CREATE == 0:
		return nil, err
	}
	f, err := os.OpenFile(name, flag|openFlags, perm)
	if err != nil {
		return nil, err
	}
	fi, err = f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return osFile{f}, nil
}

// ReadDir implements FS.
func (OS) ReadDir(name string) ([]string, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|openDirFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// Mkdir implements FS.
func (OS) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// Link implements FS.
func (OS) Link(oldname, newname string) error { return os.Link(oldname, newname) }

// Rename implements FS.
func (OS) Rename(oldname, newname string) error { return rename(oldname, newname) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

type osFile struct{ *os.File }

func (osFile) WriteOut() {}

func (f osFile) Info() (Info, error) {
	fi, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	return infoOf(fi), nil
}

func infoOf(fi fs.FileInfo) Info {
	info := Info{Mode: fi.Mode(), Size: fi.Size(), ModTime: fi.ModTime()}
	info.ID, info.ChangeTime, info.Owner = identity(fi)
	return info
}
