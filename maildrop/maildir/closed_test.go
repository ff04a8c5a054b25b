package maildir

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// A tallied file system counts what is open.
type tallied struct {
	vfs.FS
	open *int
}

func (t tallied) OpenFolder(name string) (vfs.Folder, error) {
	return t.folder(t.FS.OpenFolder(name))
}

func (t tallied) Lock(dir string) (vfs.Lock, error) {
	l, err := t.FS.Lock(dir)
	if err != nil {
		return nil, err
	}
	*t.open++
	return talliedFolder{l, t}, nil
}

func (t tallied) folder(f vfs.Folder, err error) (vfs.Folder, error) {
	if err != nil {
		return nil, err
	}
	*t.open++
	return talliedFolder{f, t}, nil
}

type talliedFolder struct {
	vfs.Folder
	in tallied
}

func (f talliedFolder) OpenFolder(name string) (vfs.Folder, error) {
	return f.in.folder(f.Folder.OpenFolder(name))
}

func (f talliedFolder) Create(name string, perm fs.FileMode) (vfs.File, error) {
	file, err := f.Folder.Create(name, perm)
	if err != nil {
		return nil, err
	}
	*f.in.open++
	return talliedFile{file, f.in}, nil
}

func (f talliedFolder) Link(oldname string, to vfs.Folder, newname string) error {
	return f.Folder.Link(oldname, to.(talliedFolder).Folder, newname)
}

func (f talliedFolder) Rename(oldname string, to vfs.Folder, newname string) error {
	return f.Folder.Rename(oldname, to.(talliedFolder).Folder, newname)
}

func (f talliedFolder) Close() error {
	*f.in.open--
	return f.Folder.Close()
}

type talliedFile struct {
	vfs.File
	in tallied
}

func (f talliedFile) Close() error {
	*f.in.open--
	return f.File.Close()
}

// Whatever fails in a delivery, nothing stays open, and what has failed leaves no message.
func TestFailedDeliveryLeavesNothingOpen(t *testing.T) {
	for n, fired := 1, true; fired; n++ {
		strict, open := vfs.NewStrict(), 0
		disk := &vfs.Fail{FS: strict}
		s := storeOn(tallied{disk, &open}, "/")
		dir := filepath.Join("/", maildroptest.User)
		if err := vfs.MkdirAll(strict, filepath.Join(dir, curFolder), 0o700); err != nil {
			t.Fatal(err)
		}
		disk.Arm(n, false)
		_, err := s.Deliver(t.Context(), maildroptest.User, strings.NewReader("text\n"))
		fired = disk.Fired()
		if err != nil && !fired {
			t.Error(err)
		}
		if open != 0 {
			t.Errorf("operation %d, %v: %d stay open", n, err, open)
		}
		for _, folder := range []string{newFolder, tmpFolder} {
			if names, _ := strict.ReadDir(filepath.Join(dir, folder)); err != nil && len(names) > 0 {
				t.Errorf("operation %d, %v: %s has %q", n, err, folder, names)
			}
		}
	}
}
