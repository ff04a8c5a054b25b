package vfs

import "path/filepath"

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
	if err := f.step("opendir", name); err != nil {
		return nil, err
	}
	sub, err := f.Folder.OpenFolder(name)
	if err != nil {
		return nil, err
	}
	return &failFolder{f.fail, sub, filepath.Join(f.name, name)}, nil
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

func (f *failFolder) Link(oldname, newname string) error {
	if err := f.step("link", newname); err != nil {
		return err
	}
	return f.Folder.Link(oldname, newname)
}

func (f *failFolder) Rename(oldname, newname string) error {
	if err := f.step("rename", newname); err != nil {
		return err
	}
	return f.Folder.Rename(oldname, newname)
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
