//go:build unix

package maildir

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// Several goroutines find all messages of both folders, and list them in order.
func TestSurveyFindsAllInOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	root := t.TempDir()
	s, dir := newStore(t, vfs.OS{}, root), filepath.Join(root, maildroptest.User)
	const n = 6000
	want := make([]string, n)
	for _, i := range rand.Perm(n) {
		want[i] = fmt.Sprintf("%d.M%dP1Q%d.a-name-that-is-rather-long.example.org", 900+i/10, i%10*7, i)
		folder := folderNames[i%2]
		if err := os.WriteFile(filepath.Join(dir, folder, want[i]+",S=2,W=3:2,"), []byte("a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, curFolder, ".hidden"), nil, 0o600), os.Mkdir(filepath.Join(dir, curFolder, "folder"), 0o700)); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, s)
	defer d.Close()
	if got := ids(d); !slices.Equal(got, want) {
		t.Errorf("listed %d: %.10q and so on, want %.10q", len(got), got, want)
	}
	if busy := s.helpers.busy.Load(); busy != 0 {
		t.Errorf("%d helpers are taken", busy)
	}
}

// A folder that cannot be read to its end is no list: without one, a client would believe
// that messages are gone.
func TestSurveyOfHalfAFolder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	root := t.TempDir()
	s, dir := newStore(t, halfFS{FS: vfs.OS{}}, root), filepath.Join(root, maildroptest.User)
	fillMany(t, dir, 3*manyNames)
	if _, err := s.Open(t.Context(), maildroptest.User); !errors.Is(err, syscall.EIO) {
		t.Errorf("open: %v", err)
	}
	if busy := s.helpers.busy.Load(); busy != 0 {
		t.Errorf("%d helpers are taken", busy)
	}
}

// A halfFS fails after the first part of the names in a folder.
type halfFS struct{ vfs.FS }

func (f halfFS) Lock(dir string) (vfs.Lock, error) {
	lock, err := f.FS.Lock(dir)
	return halfFolder{lock}, err
}

type halfFolder struct{ vfs.Folder }

func (f halfFolder) OpenFolder(name string) (vfs.Folder, error) {
	sub, err := f.Folder.OpenFolder(name)
	return halfFolder{sub}, err
}

func (f halfFolder) Names() func() ([]string, error) {
	next, parts := f.Folder.Names(), 0
	return func() ([]string, error) {
		if parts++; parts > 1 {
			return nil, syscall.EIO
		}
		return next()
	}
}
