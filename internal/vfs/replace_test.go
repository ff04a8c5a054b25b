package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever operation fails, the file is the old one or the new one, with the mode
// that it had, and nothing is left beside it.
func TestReplacementIsOldOrNew(t *testing.T) {
	for n := 1; ; n++ {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		must(t, WriteFile(OS{}, name, []byte("old"), 0o600))
		must(t, os.Chmod(name, 0o640))
		info, err := OS{}.Lstat(name)
		must(t, err)
		disk := &Fail{FS: OS{}}
		disk.Arm(n, false)
		err = Replacement{As: &info}.Write(disk, name, []byte("new"))
		got, now := content(t, OS{}, name), must2(OS{}.Lstat(name))
		if got != "old" && got != "new" || err == nil && got != "new" || now.Mode != 0o640 || now.Owner != info.Owner {
			t.Errorf("operation %d: %v, %q, %+v", n, err, got, now)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("operation %d: left %v", n, left)
		}
		if !disk.Fired() {
			must(t, err)
			return
		}
	}
}

func must2(info Info, err error) Info {
	if err != nil {
		panic(err)
	}
	return info
}

// The last look decides, when all has been written and nothing has been replaced.
func TestLastLookKeepsTheOldFile(t *testing.T) {
	s := NewStrict()
	must(t, WriteFile(s, "/file", []byte("old"), 0o600))
	no := errors.New("no")
	r := Replacement{Perm: 0o600, Last: func() error {
		if names, _ := s.ReadDir("/"); len(names) != 2 || content(t, s, "/file") != "old" {
			t.Errorf("looks at %q", names)
		}
		return no
	}}
	if err := r.Write(s, "/file", []byte("new")); !errors.Is(err, no) {
		t.Error(err)
	}
	if names, _ := s.ReadDir("/"); !slices.Equal(names, []string{"file"}) || content(t, s, "/file") != "old" {
		t.Errorf("left %q", names)
	}
}

func TestVolatileReplacementWaitsForNoDisk(t *testing.T) {
	var ops []string
	disk := &Fail{FS: NewStrict(), Before: func(op, _ string) { ops = append(ops, op) }}
	must(t, Replacement{Perm: 0o600, Volatile: true}.Write(disk, "/file", []byte("x")))
	if !slices.Equal(ops, []string{"create", "write", "close", "rename"}) {
		t.Errorf("%q", ops)
	}
}

// What a killed process leaves has a name that Sweep knows.
func TestSweepFindsWhatWasInterrupted(t *testing.T) {
	s := NewStrict()
	must(t, WriteFile(s, "/file", []byte("old"), 0o600))
	disk := &Fail{FS: s}
	disk.Arm(2, true) // and from then on nothing works any more
	if WriteFile(disk, "/file", []byte("new"), 0o600) == nil {
		t.Error("no error")
	}
	if names, _ := s.ReadDir("/"); len(names) != 2 {
		t.Errorf("nothing is left: %q", names)
	}
	must(t, WriteFile(s, "/other", nil, 0o600))
	Sweep(s, "/other")
	if names, _ := s.ReadDir("/"); len(names) != 3 {
		t.Errorf("another file's is gone: %q", names)
	}
	Sweep(s, "/file")
	if names, _ := s.ReadDir("/"); !slices.Equal(names, []string{"file", "other"}) {
		t.Errorf("left %q", names)
	}
	Sweep(s, "/missing/file")
}

func TestLockIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStrict()
		first, err := LockWithin(s, "/", time.Second)
		must(t, err)
		begin := time.Now()
		if _, err := LockWithin(s, "/", time.Second); !errors.Is(err, ErrLocked) || time.Since(begin) < time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.AfterFunc(time.Second/2, func() { first.Close() })
		begin = time.Now()
		second, err := LockWithin(s, "/", time.Second)
		if err != nil || time.Since(begin) >= time.Second {
			t.Fatalf("%v after %v", err, time.Since(begin))
		}
		must(t, second.Close())
		if _, err := LockWithin(s, "/missing", time.Second); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
}
