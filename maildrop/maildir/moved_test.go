//go:build unix

package maildir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// An empty folder where the Maildir was is a disk that is not mounted, and not
// a maildrop whose messages are gone: P3-UPD-05, goal 1.
func TestMaildirThatIsMovedAway(t *testing.T) {
	empty := func(t *testing.T, s *Store, dir string) {
		rename(t, "", dir, dir+".away")
		if err := s.Create(dir); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]func(*testing.T, *Store, string){
		"an empty one in its place": empty,
		"nothing in its place":      func(t *testing.T, _ *Store, dir string) { rename(t, "", dir, dir+".away") },
		"an empty cur": func(t *testing.T, _ *Store, dir string) {
			rename(t, dir, curFolder, "away")
			if err := os.Mkdir(filepath.Join(dir, curFolder), 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"no cur": func(t *testing.T, _ *Store, dir string) { rename(t, dir, curFolder, "away") },
		"through a link": func(t *testing.T, s *Store, dir string) {
			other := dir + ".other"
			if err := errors.Join(s.Create(other), os.Remove(dir), os.Symlink(other, dir)); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, move := range cases {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			s := storeOn(vfs.OS{}, root)
			dir := filepath.Join(root, maildroptest.User)
			if name == "through a link" {
				if err := os.Symlink(dir+".home", dir); err != nil {
					t.Fatal(err)
				}
				dir += ".home"
			}
			if err := s.Create(dir); err != nil {
				t.Fatal(err)
			}
			all := fillMany(t, dir, 3)
			d := mustOpen(t, s)
			defer d.Close()
			if _, err := fetch(t, d, pop3.UniqueID(all[2])); err != nil {
				t.Fatal(err)
			}
			move(t, s, filepath.Join(root, maildroptest.User))
			// The folder that is locked is still the maildrop; nobody may take what is
			// in its place for it.
			switch text, err := fetch(t, d, pop3.UniqueID(all[2])); {
			case err == nil && strings.Contains(name, "cur"), err == nil && text != "message 2\n", errors.Is(err, maildrop.ErrGone):
				t.Errorf("content: %q, %v", text, err)
			}
			if got := remaining(t, d.Update(t.Context(), messageIDs(all[:2]))); !slices.Equal(got, all[:2]) {
				t.Errorf("update: %q remain, want %q", got, all[:2])
			}
		})
	}
}

// A leaver moves the Maildir away in the moment after the first removal.
type leaver struct {
	vfs.FS
	leave func() error
}

func (l *leaver) Remove(name string) error {
	if err := l.FS.Remove(name); err != nil || l.leave == nil {
		return err
	}
	leave := l.leave
	l.leave = nil
	return leave()
}

// What was removed from a folder that is away now was never synced there.
func TestMaildirThatIsMovedAwayWhileRemoving(t *testing.T) {
	root := t.TempDir()
	l := &leaver{FS: vfs.OS{}}
	s := newStore(t, l, root)
	dir := filepath.Join(root, maildroptest.User)
	all := fillMany(t, dir, 1)
	d := mustOpen(t, s)
	defer d.Close()
	l.leave = func() error { return errors.Join(os.Rename(dir, dir+".away"), s.Create(dir)) }
	if got := remaining(t, d.Update(t.Context(), messageIDs(all))); !slices.Equal(got, all) {
		t.Errorf("update: %q remain, want %q", got, all)
	}
}

// A swapper replaces the Maildir in the moment in which it is being locked.
type swapper struct {
	vfs.FS
	swap func() error
}

func (s *swapper) Lock(dir string) (vfs.Lock, error) {
	lock, err := s.FS.Lock(dir)
	if err == nil && s.swap != nil {
		err = s.swap()
		s.swap = nil
	}
	return lock, err
}

// P3-LCK-01: the lock is on the folder that the path leads to.
func TestLockIsOnTheFolderThatIsRead(t *testing.T) {
	root := t.TempDir()
	w := &swapper{FS: vfs.OS{}}
	s := newStore(t, w, root)
	s.LockWait = DefaultLockWait
	dir := filepath.Join(root, maildroptest.User)
	w.swap = func() error { return errors.Join(os.Rename(dir, dir+".away"), s.Create(dir)) }
	d := mustOpen(t, s)
	defer d.Close()
	if _, err := w.FS.Lock(dir); !errors.Is(err, vfs.ErrLocked) {
		t.Errorf("a second lock of what is read: %v", err)
	}
	lock, err := w.FS.Lock(dir + ".away")
	if err != nil {
		t.Fatalf("the other one stays locked: %v", err)
	}
	lock.Close()
	if _, err := s.Open(t.Context(), "nobody"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}

func (l *leaver) Lock(dir string) (vfs.Lock, error) { return lockThrough(l, l.FS, dir) }

func (l *leaver) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(l, l.FS, dir) }
