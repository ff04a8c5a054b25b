package vfs

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// systems are those that must behave alike.
func systems(t *testing.T) map[string]struct {
	FS
	root string
} {
	return map[string]struct {
		FS
		root string
	}{
		"OS":     {OS{}, t.TempDir()},
		"Strict": {NewStrict(), "/"},
		"Fail":   {&Fail{FS: NewStrict()}, "/"},
	}
}

func TestSystemsAgree(t *testing.T) {
	for name, s := range systems(t) {
		t.Run(name, func(t *testing.T) {
			a, b, dir := filepath.Join(s.root, "a"), filepath.Join(s.root, "b"), filepath.Join(s.root, "d")
			must(t, WriteFile(s, a, []byte("one"), 0o600))
			must(t, WriteFile(s, a, []byte("two"), 0o600))
			must(t, MkdirAll(s, filepath.Join(dir, "e"), 0o700))
			must(t, MkdirAll(s, filepath.Join(dir, "e"), 0o700))
			if got := content(t, s, a); got != "two" {
				t.Errorf("a is %q", got)
			}
			must(t, s.Link(a, b))
			if err := s.Link(a, b); !errors.Is(err, fs.ErrExist) {
				t.Errorf("a second link: %v", err)
			}
			if _, err := s.Create(a, 0o600); !errors.Is(err, fs.ErrExist) {
				t.Errorf("create what is there: %v", err)
			}
			ia, err := s.Lstat(a)
			must(t, err)
			ib, err := s.Lstat(b)
			must(t, err)
			if ia.ID != ib.ID || ia.ID == (FileID{}) {
				t.Errorf("two names of one file: %v and %v", ia.ID, ib.ID)
			}
			must(t, s.Rename(b, filepath.Join(dir, "c")))
			must(t, s.Remove(a))
			if _, err := s.Open(a); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open what is gone: %v", err)
			}
			if _, err := s.Open(dir); !errors.Is(err, ErrNotRegular) {
				t.Errorf("open a folder: %v", err)
			}
			f, err := s.Append(filepath.Join(dir, "c"), 0o600)
			must(t, err)
			_, err = f.Write([]byte("+more"))
			must(t, err)
			must(t, f.Truncate(5))
			must(t, errors.Join(f.Sync(), f.Close()))
			if got := content(t, s, filepath.Join(dir, "c")); got != "two+m" {
				t.Errorf("c is %q", got)
			}
			names, err := s.ReadDir(dir)
			must(t, err)
			if len(names) != 2 {
				t.Errorf("d has %q", names)
			}
			lock, err := s.Lock(dir)
			must(t, err)
			if info, err := s.Stat(dir); err != nil || info.ID != lock.ID() || info.ID == (FileID{}) {
				t.Errorf("the lock is on %v, the path leads to %v, %v", lock.ID(), info.ID, err)
			}
			if _, err := s.Lock(dir); !errors.Is(err, ErrLocked) {
				t.Errorf("a second lock: %v", err)
			}
			must(t, lock.Close())
			lock, err = s.Lock(dir)
			must(t, err)
			must(t, lock.Close())
		})
	}
}

// A rename without syncing file and folder must lose data: else Strict is too
// kind to find bugs.
func TestStrictIsUnkind(t *testing.T) {
	for _, c := range []struct {
		name                string
		syncFile, syncDir   bool
		mayTear, mayDisplay bool
	}{
		{"nothing synced", false, false, true, true},
		{"only the file", true, false, false, true},
		{"only the folder", false, true, true, false},
		{"both", true, true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			torn, lost := false, false
			for seed := range uint64(50) {
				s := NewStrict()
				f, err := s.Create("/tmp", 0o600)
				must(t, err)
				f.Write([]byte("whole"))
				if c.syncFile {
					must(t, f.Sync())
				}
				f.Close()
				must(t, s.Rename("/tmp", "/file"))
				if c.syncDir {
					must(t, s.SyncDir("/"))
				}
				s.Crash(seed)
				if _, err := s.Lstat("/file"); err != nil {
					lost = true
				} else if content(t, s, "/file") != "whole" {
					torn = true
				}
			}
			if torn != c.mayTear || lost != c.mayDisplay {
				t.Errorf("torn %v, lost %v; want %v, %v", torn, lost, c.mayTear, c.mayDisplay)
			}
		})
	}
}

// WriteFile leaves the old or the new content, whatever fails, and whenever the
// power does.
func TestWriteFileIsDurable(t *testing.T) {
	for seed := range uint64(20) {
		for n := 1; ; n++ {
			s := NewStrict()
			must(t, WriteFile(s, "/a", []byte("old"), 0o600))
			disk := &Fail{FS: s, Err: syscall.ENOSPC}
			disk.Arm(n, true)
			err := WriteFile(disk, "/a", []byte("new"), 0o600)
			s.Crash(seed)
			got := content(t, s, "/a")
			if got != "new" && (err == nil || got != "old") {
				t.Fatalf("operation %d, seed %d: %q after %v", n, seed, got, err)
			}
			if !disk.Fired() {
				break
			}
		}
	}
}

func content(t *testing.T, s FS, name string) string {
	t.Helper()
	f, err := s.Open(name)
	must(t, err)
	defer f.Close()
	octets, err := io.ReadAll(f)
	must(t, err)
	return string(octets)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A file that was made is read, written and cut off; one that was opened is only read;
// one that was closed is neither.
func TestFilesOfTheSystem(t *testing.T) {
	home := t.TempDir()
	folder, err := OS{}.OpenFolder(home)
	must(t, err)
	defer folder.Close()
	for name, create := range map[string]func(name string) (File, error){
		"path":   func(name string) (File, error) { return OS{}.Create(filepath.Join(home, name), 0o600) },
		"folder": func(name string) (File, error) { return folder.Create(name, 0o600) },
	} {
		f, err := create(name)
		must(t, err)
		if _, err := create(name); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), filepath.Join(home, name)) {
			t.Errorf("%s: made again: %v", name, err)
		}
		n, err := f.Write([]byte("some octets"))
		must(t, errors.Join(err, f.Truncate(4), f.Sync()))
		var p [4]byte
		_, err = f.ReadAt(p[:], 0)
		must(t, errors.Join(err, f.Close()))
		if n != 11 || string(p[:]) != "some" {
			t.Errorf("%s: wrote %d, read %q", name, n, p)
		}
		if _, err := f.Write(p[:]); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: written after Close: %v", name, err)
		}
		opened, err := OS{}.Open(filepath.Join(home, name))
		must(t, err)
		if _, err := opened.Write(p[:]); err == nil {
			t.Errorf("%s: what was opened to be read was written", name)
		}
		if opened.Truncate(0) == nil {
			t.Errorf("%s: what was opened to be read was cut off", name)
		}
		must(t, opened.Close())
		if got := content(t, OS{}, filepath.Join(home, name)); got != "some" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
