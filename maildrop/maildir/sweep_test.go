package maildir

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// An aged file system has files that are older than they are: their names say
// "old".
type aged struct{ vfs.FS }

func (a aged) OpenFolder(name string) (vfs.Folder, error) {
	f, err := a.FS.OpenFolder(name)
	return agedFolder{f}, err
}

type agedFolder struct{ vfs.Folder }

func (f agedFolder) OpenFolder(name string) (vfs.Folder, error) {
	sub, err := f.Folder.OpenFolder(name)
	return agedFolder{sub}, err
}

func (f agedFolder) Link(oldname string, to vfs.Folder, newname string) error {
	return f.Folder.Link(oldname, to.(agedFolder).Folder, newname)
}

func (f agedFolder) Lstat(name string) (vfs.Info, error) {
	info, err := f.Folder.Lstat(name)
	if strings.Contains(filepath.Base(name), "old") {
		info.ModTime = info.ModTime.Add(-37 * time.Hour)
		if !strings.Contains(name, "moved") {
			info.ChangeTime = info.ChangeTime.Add(-37 * time.Hour)
		}
	}
	return info, err
}

// What interrupted deliveries left in tmp/ goes after 36 hours, and nothing
// else does.
func TestDeliverSweepsTmp(t *testing.T) {
	strict := vfs.NewStrict()
	s := newStore(t, aged{strict}, "/mail")
	dir := filepath.Join("/mail", maildroptest.User)
	stay := []string{"1.young.host", "1.oldmoved.host", "old", "old.a.b", ".1.old.host", "1.old."}
	for _, name := range append([]string{"1.old.host"}, stay...) {
		if err := put(strict, dir, "tmp/"+name, "part"); err != nil {
			t.Fatal(err)
		}
	}
	if err := strict.Mkdir(filepath.Join(dir, "tmp/1.old.folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	stay = append(stay, "1.old.folder")
	slices.Sort(stay)
	deliver := func() (left []string) {
		t.Helper()
		if _, err := s.Deliver(t.Context(), maildroptest.User, strings.NewReader("a\n")); err != nil {
			t.Fatal(err)
		}
		left, err := strict.ReadDir(filepath.Join(dir, tmpFolder))
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	if left := deliver(); !slices.Equal(left, stay) {
		t.Errorf("left: %q, want %q", left, stay)
	}
	if err := put(strict, dir, "tmp/1.old.host", "part"); err != nil {
		t.Fatal(err)
	}
	if left := deliver(); len(left) != len(stay)+1 {
		t.Errorf("swept twice in a day: %q", left)
	}
}
