//go:build unix

package maildir

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// A closedNew is a disk on which new/ cannot be searched: there are names in it, and
// files that nobody can examine.
type closedNew struct {
	vfs.OS
	open *bool
}

func (c closedNew) refuses(name string) error {
	if !*c.open && strings.Contains(name, "/new/") {
		return &os.PathError{Op: "open", Path: name, Err: syscall.EACCES}
	}
	return nil
}

func (c closedNew) Lstat(name string) (vfs.Info, error) {
	if err := c.refuses(name); err != nil {
		return vfs.Info{}, err
	}
	return c.OS.Lstat(name)
}

func (c closedNew) Open(name string) (vfs.File, error) {
	if err := c.refuses(name); err != nil {
		return nil, err
	}
	return c.OS.Open(name)
}

func (c closedNew) Lock(dir string) (vfs.Lock, error) { return lockThrough(c, c.OS, dir) }

func (c closedNew) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(c, c.OS, dir) }

// strangers makes a folder with a file that is nobody's mail, and returns a function that
// puts a link to it in the place of new/.
func strangers(t *testing.T, root, newDir, file string) (secret string, swap func() error) {
	t.Helper()
	keys := filepath.Join(root, "keys")
	secret = filepath.Join(keys, file)
	if err := errors.Join(os.Mkdir(keys, 0o700), os.WriteFile(secret, []byte("secret"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return secret, func() error {
		return errors.Join(os.Rename(newDir, newDir+".away"), os.Symlink(keys, newDir))
	}
}

// Promise 7: only files of the Maildir are read, also where a file could not be examined
// and whoever owns the Maildir puts a link in the place of its folder.
func TestFileThatCouldNotBeExaminedIsNotAnyFile(t *testing.T) {
	root, open := t.TempDir(), false
	s, dir := newStore(t, closedNew{open: &open}, root), filepath.Join(root, maildroptest.User)
	_, swap := strangers(t, root, filepath.Join(dir, "new"), "apop")
	if err := put(vfs.OS{}, dir, "new/apop", ""); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, s)
	defer d.Close()
	if got := ids(d); len(got) != 1 {
		t.Fatalf("listed %q", got)
	}
	open = true
	if err := swap(); err != nil {
		t.Fatal(err)
	}
	if text, err := fetch(t, d, "apop"); text != "" || err == nil {
		t.Errorf("read %q, %v from another folder", text, err)
	}
}

// Promise 7, for each of the two that keep links out: a message is not opened through one.
func TestMessagesAreNotReadThroughALink(t *testing.T) {
	root := t.TempDir()
	s, dir := newStore(t, vfs.OS{}, root), filepath.Join(root, maildroptest.User)
	file := filepath.Join(dir, "new/1.x")
	if err := put(vfs.OS{}, dir, "new/1.x", "text\n"); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, s)
	defer d.Close()
	elsewhere := filepath.Join(root, "elsewhere")
	err := errors.Join(os.Mkdir(elsewhere, 0o700), os.Link(file, filepath.Join(elsewhere, "1.x")),
		os.Rename(filepath.Dir(file), filepath.Dir(file)+".away"), os.Symlink(elsewhere, filepath.Dir(file)))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := fetch(t, d, "1.x"); text != "" || err == nil {
		t.Errorf("read %q, %v through a link", text, err)
	}
}

// Promise 2: UPDATE removes messages and nothing else, also when a link takes the place
// of a folder between two removals.
func TestNothingIsRemovedThroughALink(t *testing.T) {
	root := t.TempDir()
	disk := &vfs.Fail{FS: vfs.OS{}}
	s, dir := newStore(t, disk, root), filepath.Join(root, maildroptest.User)
	secret, swap := strangers(t, root, filepath.Join(dir, "new"), "apop")
	all := []string{"1.x", "apop"}
	for _, id := range all {
		if err := put(vfs.OS{}, dir, "new/"+id, ""); err != nil {
			t.Fatal(err)
		}
	}
	d := mustOpen(t, s)
	defer d.Close()
	disk.Before = func(op, _ string) {
		if op == "remove" && swap != nil {
			if err := swap(); err != nil {
				t.Error(err)
			}
			swap = nil
		}
	}
	if got := remaining(t, d.Update(t.Context(), messageIDs(all))); len(got) != 0 {
		t.Errorf("%q remain", got)
	}
	if _, err := os.Stat(secret); err != nil {
		t.Errorf("a file elsewhere is gone: %v", err)
	}
	if names, err := os.ReadDir(filepath.Join(dir, "new.away")); err != nil || len(names) != 0 {
		t.Errorf("the Maildir's own folder still has %d messages, %v", len(names), err)
	}
}

// P3-UIDL-03, goal 2: no file elsewhere gets a name when twins get theirs.
func TestNothingIsNamedThroughALink(t *testing.T) {
	root := t.TempDir()
	disk := &vfs.Fail{FS: vfs.OS{}}
	s, dir := newStore(t, disk, root), filepath.Join(root, maildroptest.User)
	putAt(t, dir, "new/1.x", "first\n", 3)
	putAt(t, dir, "new/1.x:2,", "second\n", 2)
	secret, swap := strangers(t, root, filepath.Join(dir, "new"), "1.x:2,")
	disk.Before = func(op, _ string) {
		if op == "link" && swap != nil {
			if err := swap(); err != nil {
				t.Error(err)
			}
			swap = nil
		}
	}
	if d, err := s.Open(t.Context(), maildroptest.User); err == nil {
		d.Close()
	}
	if swap != nil {
		t.Error("no name was given")
	}
	if names, err := os.ReadDir(filepath.Dir(secret)); err != nil || len(names) != 1 || names[0].Name() != "1.x:2," {
		t.Errorf("the other folder has %v, %v", names, err)
	}
}

// Promises 2 and 7: a delivery makes, links and sweeps files in the Maildir only, also when a
// link takes the place of tmp/ or new/ between a look and what follows it.
func TestNothingIsDeliveredThroughALink(t *testing.T) {
	for _, c := range []struct {
		op, folder string
		refused    bool
	}{
		{"opendir", tmpFolder, true},
		{"opendir", newFolder, true},
		{"create", tmpFolder, false},
		{"write", tmpFolder, false},
		{"readdir", tmpFolder, false}, // of the sweep
		{"remove", tmpFolder, false},  // of the sweep
		{"link", newFolder, false},
		{"syncdir", newFolder, false},
	} {
		t.Run(c.op+" "+c.folder, func(t *testing.T) {
			root := t.TempDir()
			disk := &vfs.Fail{FS: vfs.OS{}}
			s, dir := newStore(t, aged{disk}, root), filepath.Join(root, maildroptest.User)
			const stale = "1.old.host"
			secret, swap := strangers(t, root, filepath.Join(dir, c.folder), stale)
			elsewhere := filepath.Dir(secret)
			if err := put(vfs.OS{}, dir, "tmp/"+stale, "part"); err != nil {
				t.Fatal(err)
			}
			disk.Before = func(now, name string) {
				if now == c.op && swap != nil && strings.HasPrefix(name, filepath.Join(dir, c.folder)) {
					if err := swap(); err != nil {
						t.Error(err)
					}
					swap = nil
				}
				if names, err := os.ReadDir(elsewhere); err != nil || len(names) != 1 || names[0].Name() != stale {
					t.Errorf("%s: the other folder has %v, %v", now, names, err)
				}
			}
			if _, err := s.Deliver(t.Context(), maildroptest.User, strings.NewReader("text\n")); (err != nil) != c.refused {
				t.Error(err)
			}
			if swap != nil {
				t.Errorf("nothing did %s", c.op)
			}
			disk.Before("the end", "")
			own := 0 // the message; or what it was too early to sweep
			for _, name := range []string{"new", "new.away", "tmp", "tmp.away"} {
				if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.IsDir() {
					names, _ := os.ReadDir(filepath.Join(dir, name))
					own += len(names)
				}
			}
			if own != 1 {
				t.Errorf("the Maildir has %d files", own)
			}
		})
	}
}

// Promises 2 and 7: what is no file any more is left out from the next session on, whether
// somebody asks for the message or removes it.
func TestMessageThatIsNoFileAnyMore(t *testing.T) {
	for what, change := range map[string]func(file string) error{
		"link":   func(f string) error { return os.Symlink("/etc/passwd", f) },
		"fifo":   func(f string) error { return syscall.Mkfifo(f, 0o600) },
		"folder": func(f string) error { return os.Mkdir(f, 0o700) },
	} {
		for _, remove := range []bool{false, true} {
			t.Run(what, func(t *testing.T) {
				s, dir := agedStore(t, 3)
				file := filepath.Join(dir, "cur/1001.x:2,")
				if err := errors.Join(os.Remove(file), change(file)); err != nil {
					t.Fatal(err)
				}
				d := mustOpen(t, s)
				if remove {
					if err := d.Update(t.Context(), messageIDs([]string{"1001.x"})); err != nil {
						t.Error(err) // it is gone: somebody else removed it
					}
				} else if text, err := fetch(t, d, "1001.x"); text != "" || err == nil {
					t.Errorf("read %q, %v", text, err)
				}
				d.Close()
				nextTick(t, dir)
				if got := poll(t, s); !slices.Equal(got, []string{"1000.x", "1002.x"}) {
					t.Errorf("the next session lists %q", got)
				}
			})
		}
	}
}

// A Maildir may be a link. Where that leads nowhere, its disk may be away: there is such a
// user, and nothing is made.
func TestMaildirThatIsALink(t *testing.T) {
	root := t.TempDir()
	s := storeOn(vfs.OS{}, root)
	s.Missing = func(string) error { t.Error("asked for a Maildir"); return nil }
	disk := filepath.Join(root, "disk")
	if err := os.Symlink(disk, filepath.Join(root, maildroptest.User)); err != nil {
		t.Fatal(err)
	}
	deliver := func() error {
		_, err := s.Deliver(t.Context(), maildroptest.User, strings.NewReader("text\n"))
		return err
	}
	if err := deliver(); !errors.Is(err, ErrNoFolders) {
		t.Errorf("a link that leads nowhere: %v", err)
	}
	if err := s.Create(disk); err != nil {
		t.Fatal(err)
	}
	if err := deliver(); err != nil {
		t.Error(err)
	}
	if names, err := os.ReadDir(filepath.Join(disk, "new")); err != nil || len(names) != 1 {
		t.Errorf("there are %d messages, %v", len(names), err)
	}
}
