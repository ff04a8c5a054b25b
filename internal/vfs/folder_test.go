//go:build unix

package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What is done through an open folder is done there, whatever has its name by now.
func TestFolderStaysTheSame(t *testing.T) {
	for name, s := range systems(t) {
		t.Run(name, func(t *testing.T) {
			home := filepath.Join(s.root, "home")
			must(t, MkdirAll(s, filepath.Join(home, "cur"), 0o700))
			must(t, WriteFile(s, filepath.Join(home, "cur", "a"), []byte("one"), 0o600))
			lock, err := s.Lock(home)
			must(t, err)
			defer lock.Close()
			cur, err := lock.OpenFolder("cur")
			must(t, err)
			must(t, s.Rename(home, home+"2"))
			must(t, MkdirAll(s, filepath.Join(home, "cur"), 0o700))
			must(t, WriteFile(s, filepath.Join(home, "cur", "a"), []byte("other"), 0o600))

			for folder, name := range map[Folder]string{lock: "cur/a", cur: "a"} {
				f, info, err := folder.OpenSeen(name)
				must(t, err)
				octets, err := io.ReadAll(f)
				must(t, errors.Join(err, f.Close()))
				if string(octets) != "one" || info.Size != 3 {
					t.Errorf("%s: %q", name, octets)
				}
			}
			if info, err := lock.Lstat("cur"); err != nil || info.ID != cur.ID() || !info.Mode.IsDir() {
				t.Errorf("cur: %+v, %v, want %v", info, err, cur.ID())
			}
			must(t, cur.Link("a", cur, "b"))
			if err := cur.Link("a", cur, "b"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("a second link: %v", err)
			}
			must(t, cur.Rename("b", cur, "c"))
			for range 2 { // it begins anew
				names, err := cur.ReadDir()
				must(t, err)
				if slices.Sort(names); !slices.Equal(names, []string{"a", "c"}) {
					t.Errorf("in the folder: %q", names)
				}
			}
			if _, err := lock.OpenFolder("tmp"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open what is not there: %v", err)
			}
			must(t, lock.Mkdir("tmp", 0o700))
			if err := lock.Mkdir("tmp", 0o700); !errors.Is(err, fs.ErrExist) {
				t.Errorf("a second folder: %v", err)
			}
			tmp, err := lock.OpenFolder("tmp")
			must(t, err)
			f, err := tmp.Create("new", 0o600)
			must(t, err)
			must(t, f.Close())
			if _, err := tmp.Create("new", 0o600); !errors.Is(err, fs.ErrExist) {
				t.Errorf("a second file: %v", err)
			}
			must(t, tmp.Link("new", cur, "linked"))
			if err := tmp.Link("new", cur, "linked"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("a second link to another folder: %v", err)
			}
			must(t, cur.Remove("linked"))
			must(t, tmp.Rename("new", cur, "moved"))
			must(t, cur.Remove("moved"))
			if names, err := tmp.ReadDir(); err != nil || len(names) > 0 {
				t.Errorf("what was moved is still there: %q, %v", names, err)
			}
			must(t, tmp.Close())
			if err := cur.Link("a", tmp, "a"); err == nil {
				t.Error("linked into a folder that is closed")
			}
			must(t, cur.Remove("a"))
			must(t, cur.Sync())
			if _, err := cur.Lstat("a"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what was removed: %v", err)
			}
			if got := content(t, s, filepath.Join(home, "cur", "a")); got != "other" {
				t.Errorf("elsewhere: %q", got)
			}
			if _, _, err := cur.OpenSeen("a"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open what is gone: %v", err)
			}
			must(t, cur.Close())
			if _, err := cur.Lstat("c"); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

// No link is followed, wherever it stands in the name: by one call, and step by step,
// where that call does not work.
func TestFolderFollowsNoLink(t *testing.T) {
	root := t.TempDir()
	home, other := filepath.Join(root, "home"), filepath.Join(root, "other")
	must(t, errors.Join(os.MkdirAll(filepath.Join(home, "cur"), 0o700), os.Mkdir(other, 0o700),
		os.WriteFile(filepath.Join(home, "cur", "a"), []byte("one"), 0o600),
		os.WriteFile(filepath.Join(other, "a"), []byte("secret"), 0o600),
		os.Symlink(filepath.Join(other, "a"), filepath.Join(home, "cur", "link")),
		os.Symlink(other, filepath.Join(home, "new")),
		os.Symlink("cur", filepath.Join(home, "tmp"))))
	lock, err := OS{}.Lock(home)
	must(t, err)
	defer lock.Close()
	dir := lock.(*folder)
	for what, open := range map[string]func(string) (File, Info, error){
		"one call": dir.OpenSeen,
		"stepwise": func(name string) (File, Info, error) {
			return openSeen(dir, name, func() (int, error) { return openStepwise(dir.fd, name) })
		},
	} {
		f, _, err := open("cur/a")
		must(t, err)
		f.Close()
		for _, name := range []string{"cur/link", "new/a", "tmp/a", "../other/a", "cur/../cur/link", "cur/none", "cur"} {
			if f, _, err := open(name); err == nil {
				f.Close()
				t.Errorf("%s: %s was opened", what, name)
			}
		}
	}
	for _, name := range []string{"new", "tmp", "cur/a", "none"} {
		if f, err := lock.OpenFolder(name); err == nil {
			f.Close()
			t.Errorf("folder %s was opened", name)
		}
	}
}

// What it takes to open a message and to look at it.
func BenchmarkOpenMessage(b *testing.B) {
	home := filepath.Join(b.TempDir(), "var/lib/postfach/mail/user")
	name := "1700000000.M000001P1234Q1R0123456789abcdef.mail.example.org,S=4096,W=4160:2,S"
	if err := errors.Join(os.MkdirAll(filepath.Join(home, "cur"), 0o700), os.WriteFile(filepath.Join(home, "cur", name), make([]byte, 4096), 0o600)); err != nil {
		b.Fatal(err)
	}
	lock, err := OS{}.Lock(home)
	if err != nil {
		b.Fatal(err)
	}
	defer lock.Close()
	dir := lock.(*folder)
	for _, c := range []struct {
		what string
		open func() (File, Info, error)
	}{
		{"path", func() (File, Info, error) { return withInfo(OS{}.Open(home + "/cur/" + name)) }},
		{"one call", func() (File, Info, error) { return lock.OpenSeen("cur/" + name) }},
		{"stepwise", func() (File, Info, error) {
			return openSeen(dir, name, func() (int, error) { return openStepwise(dir.fd, "cur/"+name) })
		}},
	} {
		b.Run(c.what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, _, err := c.open()
				if err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
	}
}
