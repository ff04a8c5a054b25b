//go:build unix

package maildir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
)

// An agedFS is a real one on which everything happened an hour ago: no
// change could hide, and nobody has to wait for that.
type agedFS struct{ vfs.OS }

func age(info vfs.Info, err error) (vfs.Info, error) {
	info.ModTime, info.ChangeTime = info.ModTime.Add(-time.Hour), info.ChangeTime.Add(-time.Hour)
	return info, err
}

func (a agedFS) Lstat(name string) (vfs.Info, error) { return age(a.OS.Lstat(name)) }
func (a agedFS) Stat(name string) (vfs.Info, error)  { return age(a.OS.Stat(name)) }
func (a agedFS) Open(name string) (vfs.File, error) {
	f, err := a.OS.Open(name)
	if err != nil {
		return nil, err
	}
	return agedFile{f}, nil
}

type agedFile struct{ vfs.File }

func (f agedFile) Info() (vfs.Info, error) { return age(f.File.Info()) }

// nextTick waits until the clock of the file system shows another time: a change after
// that does not have the time of one before.
func nextTick(t testing.TB, dir string) {
	t.Helper()
	name := filepath.Join(dir, tmpFolder, "tick")
	var first time.Time
	for {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := vfs.OS{}.Lstat(name)
		switch {
		case err != nil:
			t.Fatal(err)
		case first.IsZero():
			first = info.ChangeTime
		case info.ChangeTime.Sub(first) > 20*time.Millisecond: // with finer times, too
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

func agedStore(t *testing.T, n int) (s *Store, dir string) {
	t.Helper()
	root := t.TempDir()
	s, dir = newStore(t, agedFS{}, root), filepath.Join(root, maildroptest.User)
	for i := range n {
		if err := put(vfs.OS{}, dir, fmt.Sprintf("cur/%d.x:2,", 1000+i), fmt.Sprintf("message %d\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	poll(t, s)
	if d := mustOpen(t, s); !d.(*drop).reused {
		t.Fatal("the snapshot was not used")
	} else {
		d.Close()
	}
	nextTick(t, dir)
	return s, dir
}

// Goal 1: on a real disk, with its real clock.
func TestNoDeliveryHidesOnDisk(t *testing.T) {
	root := t.TempDir()
	s, other := newStore(t, vfs.OS{}, root), storeOn(vfs.OS{}, root)
	s.Index, s.indexed = filepath.Join(root, ".index"), 1
	for n := 1; n <= 300; n++ {
		if n%3 == 0 {
			poll(t, s)
		}
		if _, err := other.Deliver(t.Context(), maildroptest.User, strings.NewReader("text\n")); err != nil {
			t.Fatal(err)
		}
		if got := len(poll(t, s)); got != n {
			t.Fatalf("listed %d, want %d", got, n)
		}
	}
}

// Programs that set the time of a folder back hide nothing.
func TestTimeThatIsSetBack(t *testing.T) {
	s, dir := agedStore(t, 3)
	folder := filepath.Join(dir, newFolder)
	before, err := os.Stat(folder)
	if err == nil {
		err = errors.Join(put(vfs.OS{}, dir, "new/2000.y", "y\n"), os.Chtimes(folder, before.ModTime(), before.ModTime()))
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := poll(t, s); len(got) != 4 {
		t.Errorf("listed %q", got)
	}
}

// A message that is written anew in its place, or gets another file in its place,
// costs an error once, and is right in the next session. The others are not disturbed.
func TestChangeInPlaceHeals(t *testing.T) {
	const text = "another text\n"
	for name, change := range map[string]func(file string) error{
		"written": func(file string) error { return os.WriteFile(file, []byte(text), 0o600) },
		"replaced": func(file string) error {
			aside := filepath.Join(filepath.Dir(filepath.Dir(file)), tmpFolder, "aside")
			return errors.Join(os.WriteFile(aside, []byte(text), 0o600), os.Rename(aside, file))
		},
		"same length": func(file string) error {
			err := os.WriteFile(file, []byte("mess\n\n\nge 1\n")[:len("message 1\n")], 0o600)
			later := time.Now().Add(time.Minute)
			return errors.Join(err, os.Chtimes(file, later, later))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := agedStore(t, 20) // so that it is not one of those that are looked at
			s.Index, s.indexed = filepath.Join(dir, "index"), 1
			poll(t, s) // which writes the index
			nextTick(t, dir)
			file := filepath.Join(dir, "cur/1001.x:2,")
			if err := change(file); err != nil {
				t.Fatal(err)
			}
			d := mustOpen(t, s)
			if got, err := fetch(t, d, "1001.x"); err == nil {
				t.Errorf("before it is counted anew: %q", got)
			}
			if got, err := fetch(t, d, "1002.x"); got != "message 2\n" || err != nil {
				t.Errorf("the next message: %q, %v", got, err)
			}
			d.Close()
			if names, _ := os.ReadDir(s.Index); len(names) != 0 {
				t.Errorf("%d indexes are left", len(names))
			}
			d = mustOpen(t, s)
			got, err := fetch(t, d, "1001.x")
			octets, _ := os.ReadFile(file)
			if got != string(octets) || err != nil {
				t.Errorf("the next session: %q, %v", got, err)
			}
			d.Close()
		})
	}
}

// What was replaced is not removed, and the next session can remove it.
func TestReplacedFileIsNotRemoved(t *testing.T) {
	s, dir := agedStore(t, 20) // so that it is not one of those that are looked at
	file := filepath.Join(dir, "cur/1001.x:2,")
	aside := filepath.Join(dir, tmpFolder, "aside")
	if err := errors.Join(os.WriteFile(aside, []byte("new\n"), 0o600), os.Rename(aside, file)); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{{"1001.x"}, nil} {
		d := mustOpen(t, s)
		if got := remaining(t, d.Update(t.Context(), messageIDs([]string{"1001.x"}))); !slices.Equal(got, want) {
			t.Errorf("remaining: %q, want %q", got, want)
		}
		d.Close()
	}
}

// A file that is still being written to is examined in each session.
func TestYoungFileIsExamined(t *testing.T) {
	root := t.TempDir()
	s, dir := newStore(t, youngFiles{agedFS{}}, root), filepath.Join(root, maildroptest.User)
	file := filepath.Join(dir, "new/1.x")
	for n := range 3 {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString("line\n")
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		d := mustOpen(t, s)
		if got, err := fetch(t, d, "1.x"); got != strings.Repeat("line\n", n+1) || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		d.Close()
	}
	d := mustOpen(t, s)
	defer d.Close()
	if !d.(*drop).reused {
		t.Error("the snapshot was not used, and nothing has changed")
	}
}

// youngFiles lets files be as young as they are.
type youngFiles struct{ agedFS }

func (y youngFiles) Lstat(name string) (vfs.Info, error) {
	if strings.HasSuffix(name, ".x") {
		return y.OS.Lstat(name)
	}
	return y.agedFS.Lstat(name)
}

func (y youngFiles) Open(name string) (vfs.File, error) { return y.OS.Open(name) }

// Two processes have one maildrop: what one of them knows is not taken for true by the
// other unless it is.
func TestTwoStores(t *testing.T) {
	one, dir := agedStore(t, 10)
	two := storeOn(agedFS{}, filepath.Dir(dir))
	for _, s := range []*Store{one, two} {
		s.Index, s.indexed = filepath.Join(dir, "index"), 1
	}
	for n := range 5 {
		for _, s := range []*Store{one, two} {
			want := 10 - 2*n
			if s == two {
				want--
			}
			d := mustOpen(t, s)
			if got := ids(d); len(got) != want {
				t.Fatalf("round %d: listed %q, want %d", n, got, want)
			}
			for _, m := range d.Messages() {
				if _, err := fetch(t, d, m.ID); err != nil {
					t.Errorf("%s: %v", m.ID, err)
				}
			}
			if err := d.Update(t.Context(), messageIDs(ids(d)[:1])); err != nil {
				t.Error(err)
			}
			d.Close()
			nextTick(t, dir)
			poll(t, s)
			nextTick(t, dir)
			if _, err := s.Open(t.Context(), "unknown"); !errors.Is(err, maildrop.ErrNoUser) {
				t.Error(err)
			}
		}
	}
}

func (a agedFS) Lock(dir string) (vfs.Lock, error) { return lockThrough(a, a.OS, dir) }

func (a agedFS) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(a, a.OS, dir) }

func (y youngFiles) Lock(dir string) (vfs.Lock, error) { return lockThrough(y, y.OS, dir) }

func (y youngFiles) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(y, y.OS, dir) }
