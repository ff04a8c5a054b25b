package maildir

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// A linkless FS has no links, and says so in one of the ways that there are.
type linkless struct {
	vfs.FS
	says error
}

func (l linkless) Link(_, to string) error {
	return &fs.PathError{Op: "link", Path: to, Err: l.says}
}

func (l linkless) Lock(dir string) (vfs.Lock, error) { return lockThrough(l, l.FS, dir) }

func (l linkless) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(l, l.FS, dir) }

// Where there are no links, a message comes by a rename: whole, durable, and once.
func TestDeliveryWithoutLinks(t *testing.T) {
	for _, says := range []error{syscall.EPERM, syscall.EOPNOTSUPP, syscall.ENOSYS} {
		for _, check := range maildroptest.Cases() {
			switch check.Name {
			case "UniqueIDsAreNotReused", "Cancelled", "BrokenDelivery", "ManyAtOnce", "FaultsDeliver", "CrashDeliver":
				t.Run(check.Name+" "+says.Error(), func(t *testing.T) {
					if err := check.Check(func() maildroptest.Subject {
						return strictSubject(t, func(f vfs.FS) vfs.FS { return linkless{f, says} })
					}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// A rename never replaces a message.
func TestRenameReplacesNoMessage(t *testing.T) {
	strict := vfs.NewStrict()
	newStore(t, strict, "/")
	dir := filepath.Join("/", maildroptest.User)
	home, err := linkless{strict, syscall.EPERM}.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	tmp, err := home.OpenFolder(tmpFolder)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := home.OpenFolder(newFolder)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(put(strict, dir, "tmp/1.x", "late"), put(strict, dir, "new/1.x", "first")); err != nil {
		t.Fatal(err)
	}
	if err := moveTo(tmp, "1.x", fresh, "1.x"); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	for file, want := range map[string]string{"new/1.x": "first", "tmp/1.x": "late"} {
		f, err := strict.Open(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v", file, got, err)
		}
	}
}

// A tmp/ on another disk than new/ costs the delivery, and leaves nothing of the message.
func TestTmpOnAnotherDisk(t *testing.T) {
	for _, says := range []error{syscall.EXDEV, syscall.EPERM} {
		strict := vfs.NewStrict()
		newStore(t, strict, "/")
		s := storeOn(otherDisk{linkless{strict, says}}, "/")
		if _, err := s.Deliver(t.Context(), maildroptest.User, strings.NewReader("text\n")); !errors.Is(err, syscall.EXDEV) {
			t.Errorf("link: %v; %v", says, err)
		}
		for _, folder := range []string{newFolder, tmpFolder} {
			if names, err := strict.ReadDir(filepath.Join("/", maildroptest.User, folder)); err != nil || len(names) > 0 {
				t.Errorf("%s has %q, %v", folder, names, err)
			}
		}
	}
}

// An otherDisk moves nothing out of a folder.
type otherDisk struct{ linkless }

func (o otherDisk) Rename(_, to string) error {
	return &fs.PathError{Op: "rename", Path: to, Err: syscall.EXDEV}
}

func (o otherDisk) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(o, o.FS, dir) }
