//go:build unix

package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// putAt is put for a file that was written so many hours ago.
func putAt(t *testing.T, dir, name, content string, hours int) {
	t.Helper()
	when := time.Now().Add(-time.Duration(hours) * time.Hour)
	if err := errors.Join(put(vfs.OS{}, dir, name, content), os.Chtimes(filepath.Join(dir, name), when, when)); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}

// listing returns what is in a maildrop, and fails where something cannot be
// read or has two unique-ids.
func listing(t *testing.T, d maildrop.Maildrop) map[string]pop3.UniqueID {
	t.Helper()
	found := map[string]pop3.UniqueID{}
	for _, m := range d.Messages() {
		text, err := fetch(t, d, m.ID)
		if err != nil || found[text] != "" {
			t.Errorf("message %q: %q (again: %v), %v", m.ID, text, found[text] != "", err)
		}
		found[text] = m.ID
	}
	return found
}

func list(t *testing.T, s *Store) map[string]pop3.UniqueID {
	t.Helper()
	d := mustOpen(t, s)
	defer d.Close()
	return listing(t, d)
}

// P3-UIDL-03: flags that other programs set move no unique-id from one file to
// another of the same name.
func TestFlagsDoNotSwapTwins(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	putAt(t, dir, "new/1.x", "first\n", 3)
	list(t, s)
	putAt(t, dir, "cur/1.x:2,", "second\n", 2)
	rename(t, dir, "new/1.x", "cur/1.x:2,S")
	want := list(t, s)
	if want["first\n"] != "1.x" || len(want) != 2 {
		t.Fatalf("listed %q: the older file has to keep its unique-id", want)
	}
	names, _ := s.fs().ReadDir(filepath.Join(dir, curFolder))
	if !slices.Contains(names, string(want["second\n"])+":2,") {
		t.Errorf("cur/ has %q, want a name for %q", names, want["second\n"])
	}
	rename(t, dir, "cur/1.x:2,S", "cur/1.x:2,")
	rename(t, dir, "cur/"+string(want["second\n"])+":2,", "cur/"+string(want["second\n"])+":2,S")
	if got := list(t, s); !maps.Equal(got, want) {
		t.Errorf("after flags changed: %q, want %q", got, want)
	}
	if err := os.Remove(filepath.Join(dir, "cur/1.x:2,")); err != nil {
		t.Fatal(err)
	}
	if got := list(t, s); len(got) != 1 || got["second\n"] != want["second\n"] {
		t.Errorf("another program removed the first one: %q, want %q", got, want)
	}
}

// Goal 1: a known message moves, and another one gets the name that it had. Both are
// listed, in this session and in those after it.
func TestTwinInThePlaceOfAKnownMessage(t *testing.T) {
	s, dir := agedStore(t, 3)
	f := filepath.Join(dir, "new/2000.x")
	if err := os.WriteFile(f, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nextTick(t, dir)
	poll(t, s)
	nextTick(t, dir)
	if err := errors.Join(os.Rename(f, filepath.Join(dir, "cur/2000.x:2,S")), os.WriteFile(f, []byte("second\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		nextTick(t, dir)
		if got := list(t, s); len(got) != 5 || got["first\n"] != "2000.x" {
			t.Errorf("session %d: listed %q", n, got)
		}
	}
}

// Promises 2 and 4: a twin that has two names loses both, so that its unique-id does not
// come back after +OK.
func TestTwinWithTwoNamesIsRemovedWhole(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	putAt(t, dir, "new/1.x", "first\n", 3)
	putAt(t, dir, "new/1.x:2,a", "second\n", 2)
	if err := os.Link(filepath.Join(dir, "new/1.x:2,a"), filepath.Join(dir, "cur/1.x:2,b")); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, s)
	second := listing(t, d)["second\n"]
	if err := d.Update(t.Context(), []pop3.UniqueID{second}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if got := list(t, s); len(got) != 1 || got["first\n"] != "1.x" {
		t.Errorf("removed %s, and now: %q", second, got)
	}
}

// A renamed twin keeps what its name says, and its place in the listing is the
// same in the session that renames it and in the next.
func TestRenamedTwinKeepsItsHints(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	putAt(t, dir, "cur/1.x,S=2,W=3:2,S", "a\n", 3)
	putAt(t, dir, "cur/1.x,S=3,W=4:2,FS", "bb\n", 2)
	putAt(t, dir, "cur/0.y:2,S", "c\n", 1)
	d := mustOpen(t, s)
	first := ids(d)
	d.Close()
	d = mustOpen(t, s)
	defer d.Close()
	if got := ids(d); !slices.Equal(got, first) {
		t.Errorf("listed %q, then %q", first, got)
	}
	names, _ := s.fs().ReadDir(filepath.Join(dir, curFolder))
	if !slices.ContainsFunc(names, func(n string) bool { return n[0] == 'h' && strings.HasSuffix(n, ",S=3,W=4:2,FS") }) {
		t.Errorf("cur/ has %q", names)
	}
}

// A noNames is a file system on which nothing gets a name.
type noNames struct{ vfs.FS }

func (noNames) Link(string, string) error   { return syscall.EROFS }
func (noNames) Rename(string, string) error { return syscall.EROFS }

// Where the twin cannot be renamed, it is served under the same unique-id, and
// the operator hears of it once.
func TestTwinsThatCannotBeRenamed(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, noNames{vfs.OS{}}, root)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	dir := filepath.Join(root, maildroptest.User)
	putAt(t, dir, "cur/1.x:2,S", "first\n", 3)
	putAt(t, dir, "cur/1.x:2,", "second\n", 2)
	putAt(t, dir, "cur/1.x:2,FS", "third\n", 1)
	want := list(t, s)
	if len(want) != 3 || want["first\n"] != "1.x" {
		t.Errorf("listed %q", want)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d log lines, want 1:\n%s", n, log.String())
	}
	rename(t, dir, "cur/1.x:2,", "cur/1.x:2,T")
	if got := list(t, s); !maps.Equal(got, want) {
		t.Errorf("after a flag changed: %q, want %q", got, want)
	}
	d := mustOpen(t, s)
	err := d.Update(t.Context(), []pop3.UniqueID{"1.x"})
	d.Close()
	if got := remaining(t, err); !slices.Equal(got, []string{"1.x"}) {
		t.Errorf("remaining: %q: the first one goes, and another one gets its unique-id", got)
	}
	s.FS = vfs.OS{}
	if got := list(t, s); !maps.Equal(got, want) {
		t.Errorf("when it can be renamed: %q, want %q", got, want)
	}
}

// An unseen is a file that nothing can be found out about.
type unseen struct {
	vfs.FS
	name string
}

func (u unseen) Lstat(name string) (vfs.Info, error) {
	if filepath.Base(name) == u.name {
		return vfs.Info{}, &fs.PathError{Op: "lstat", Path: name, Err: syscall.EIO}
	}
	return u.FS.Lstat(name)
}

// Promise 7: a twin that cannot be examined blocks nobody. Which of the two had
// the unique-id before cannot be known, so neither gets it.
func TestTwinThatCannotBeExamined(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, unseen{vfs.OS{}, "1.x:2,S"}, root)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	dir := filepath.Join(root, maildroptest.User)
	putAt(t, dir, "cur/1.x:2,S", "first\n", 3)
	putAt(t, dir, "cur/1.x:2,", "second\n", 2)
	putAt(t, dir, "cur/2.y:2,", "other\n", 1)
	got := list(t, s)
	if len(got) != 2 || got["other\n"] != "2.y" || got["second\n"] == "" || got["second\n"] == "1.x" {
		t.Errorf("listed %q", got)
	}
	if _, err := os.Lstat(filepath.Join(dir, "cur/1.x:2,")); err != nil {
		t.Errorf("it was renamed before it is known which one is older: %v", err)
	}
	if !strings.Contains(log.String(), "1.x:2,S") {
		t.Errorf("nobody hears of the file that is left out:\n%s", log.String())
	}
	s.FS = vfs.OS{}
	if later := list(t, s); len(later) != 3 || later["first\n"] != "1.x" || later["second\n"] != got["second\n"] {
		t.Errorf("when it can be examined: %q, and before %q", later, got)
	}
}

// A rename that a crash or kill interrupted leaves one message with two names.
func TestInterruptedNamingIsOneMessage(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		root := t.TempDir()
		s := newStore(t, vfs.OS{}, root)
		dir := filepath.Join(root, maildroptest.User)
		putAt(t, dir, "cur/1.x:2,S", "first\n", 3)
		putAt(t, dir, "cur/1.x:2,", "second\n", 2)
		want := list(t, s)
		second := want["second\n"]
		if err := os.Link(filepath.Join(dir, "cur", string(second)+":2,"), filepath.Join(dir, "cur/1.x:2,")); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "cur/1.x:2,S")); err != nil { // by another program
			t.Fatal(err)
		}
		if readOnly {
			s.FS = noNames{s.fs()}
		}
		d := mustOpen(t, s)
		if got := listing(t, d); len(got) != 1 || got["second\n"] != second {
			t.Errorf("listed %q, want %q only", got, second)
		}
		if err := d.Update(t.Context(), []pop3.UniqueID{second}); err != nil {
			t.Error(err)
		}
		d.Close()
		if got := list(t, s); len(got) != 0 {
			t.Errorf("after it was removed: %q", got)
		}
	}
}

// twinsOn returns a store with three files of one name and the trap: a file with
// the name that the second one would get.
func twinsOn(t *testing.T, fsys vfs.FS) (s *Store, dir string) {
	t.Helper()
	const root = "/mail"
	s = newStore(t, fsys, root)
	dir = filepath.Join(root, maildroptest.User)
	err := errors.Join(
		put(fsys, dir, "cur/1.x:2,S", "first\n"),
		put(fsys, dir, "cur/1.x:2,", "second\n"),
		put(fsys, dir, "new/1.x", "third\n"),
		trap(fsys, dir, "cur/1.x:2,", "trap\n"),
		fsys.SyncDir(filepath.Join(dir, newFolder)),
		fsys.SyncDir(filepath.Join(dir, curFolder)),
	)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// Promises 2 and 3, for the renaming at Open: whatever fails, and whenever the
// power does, each message is there once, and a unique-id that a session saw
// stays with its message.
func TestNamingTwinsSurvivesEverything(t *testing.T) {
	strict := vfs.NewStrict()
	twinsOn(t, strict)
	for _, dead := range []bool{false, true} {
		for seed := range uint64(4) {
			for n := 1; ; n++ {
				run := strict.Clone()
				disk := &vfs.Fail{FS: run}
				s := storeOn(disk, "/mail")
				disk.Arm(n, dead)
				d, err := s.Open(t.Context(), maildroptest.User)
				fired := disk.Fired()
				disk.Arm(0, false)
				seen := map[string]pop3.UniqueID{}
				if err == nil {
					for _, m := range d.Messages() {
						// One whose size had to be guessed is cut off.
						if text, err := fetch(t, d, m.ID); err == nil {
							seen[text] = m.ID
						}
					}
					d.Close()
				}
				run.Crash(seed)
				got := list(t, s)
				maps.DeleteFunc(seen, func(text string, id pop3.UniqueID) bool { return got[text] == id })
				if len(got) != 4 || len(seen) > 0 {
					t.Errorf("dead %v, seed %d, operation %d: %q, before the crash %q", dead, seed, n, got, seen)
				}
				if again := list(t, s); !maps.Equal(again, got) {
					t.Errorf("dead %v, seed %d, operation %d: %q, then %q", dead, seed, n, got, again)
				}
				if !fired {
					break
				}
			}
		}
	}
}

// P3-UIDL-06, the second line of defence: a twin that arrives in the session
// never gets the unique-id of the message that this session removes.
func TestTwinThatArrivesInTheSession(t *testing.T) {
	for _, dead := range []bool{false, true} {
		for seed := range uint64(4) {
			for n := 1; ; n++ {
				strict := vfs.NewStrict()
				disk := &vfs.Fail{FS: strict}
				s := newStore(t, disk, "/mail")
				dir := filepath.Join("/mail", maildroptest.User)
				cur := filepath.Join(dir, curFolder)
				if err := errors.Join(put(disk, dir, "cur/1.x:2,S", "first\n"), disk.SyncDir(cur)); err != nil {
					t.Fatal(err)
				}
				d := mustOpen(t, s)
				if err := errors.Join(put(disk, dir, "cur/1.x:2,", "second\n"), disk.SyncDir(cur)); err != nil {
					t.Fatal(err)
				}
				disk.Arm(n, dead)
				err := d.Update(t.Context(), []pop3.UniqueID{"1.x"})
				d.Close()
				fired := disk.Fired()
				disk.Arm(0, false)
				strict.Crash(seed)
				got := list(t, s)
				at := fmt.Sprintf("dead %v, seed %d, operation %d", dead, seed, n)
				if id := got["second\n"]; id == "" || id == "1.x" {
					t.Errorf("%s: %q: the second one is lost, or a client takes it for the first", at, got)
				}
				if got["first\n"] != "" && err == nil {
					t.Errorf("%s: %q after it was removed", at, got)
				}
				if !fired {
					break
				}
			}
		}
	}
}

func (n noNames) Lock(dir string) (vfs.Lock, error) { return lockThrough(n, n.FS, dir) }

func (n noNames) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(n, n.FS, dir) }

func (u unseen) Lock(dir string) (vfs.Lock, error) { return lockThrough(u, u.FS, dir) }

func (u unseen) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(u, u.FS, dir) }
