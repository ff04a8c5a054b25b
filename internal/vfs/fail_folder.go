package vfs

import (
	"io/fs"
	"path/filepath"
)

// A failFolder is an open folder of a Fail. To close it is no operation: it needs no
// disk.
type failFolder struct {
	fail *Fail
	Folder
	name string
}

// step counts one operation on what has this name in the folder.
func (f *failFolder) step(op, name string) error {
	return f.fail.step(op, filepath.Join(f.name, name))
}

func (f *failFolder) OpenFolder(name string) (Folder, error) {
	path := filepath.Join(f.name, name)
	return f.fail.folder("opendir", path, func() (Folder, error) { return f.Folder.OpenFolder(name) })
}

func (f *failFolder) OpenSeen(name string) (File, Info, error) {
	path := filepath.Join(f.name, name)
	return withInfo(f.fail.file("open", path, func() (File, error) {
		file, _, err := f.Folder.OpenSeen(name)
		return file, err
	}))
}

func (f *failFolder) ReadDir() ([]string, error) {
	if err := f.step("readdir", ""); err != nil {
		return nil, err
	}
	return f.Folder.ReadDir()
}

// Names is one operation, however many parts there are.
func (f *failFolder) Names() func() ([]string, error) {
	if err := f.step("readdir", ""); err != nil {
		return func() ([]string, error) { return nil, err }
	}
	return f.Folder.Names()
}

func (f *failFolder) Lstat(name string) (Info, error) {
	if err := f.step("lstat", name); err != nil {
		return Info{}, err
	}
	return f.Folder.Lstat(name)
}

func (f *failFolder) Create(name string, perm fs.FileMode) (File, error) {
	path := filepath.Join(f.name, name)
	return f.fail.file("create", path, func() (File, error) { return f.Folder.Create(name, perm) })
}

func (f *failFolder) Mkdir(name string, perm fs.FileMode) error {
	if err := f.step("mkdir", name); err != nil {
		return err
	}
	return f.Folder.Mkdir(name, perm)
}

func (f *failFolder) Link(oldname string, to Folder, newname string) error {
	other, err := f.other("link", to, newname)
	if err != nil {
		return err
	}
	return f.Folder.Link(oldname, other, newname)
}

func (f *failFolder) Rename(oldname string, to Folder, newname string) error {
	other, err := f.other("rename", to, newname)
	if err != nil {
		return err
	}
	return f.Folder.Rename(oldname, other, newname)
}

// other is step with a name in another folder, and returns what that really is.
func (f *failFolder) other(op string, to Folder, name string) (Folder, error) {
	other, ok := to.(*failFolder)
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return other.Folder, other.step(op, name)
}

func (f *failFolder) Remove(name string) error {
	if err := f.step("remove", name); err != nil {
		return err
	}
	return f.Folder.Remove(name)
}

func (f *failFolder) Sync() error {
	if err := f.step("syncdir", ""); err != nil {
		return err
	}
	return f.Folder.Sync()
}
