package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// newStore returns a store with one maildrop, that of maildroptest.User.
func newStore(t testing.TB, fsys vfs.FS, root string) *Store {
	t.Helper()
	s := storeOn(fsys, root)
	if err := s.Create(filepath.Join(root, maildroptest.User)); err != nil {
		t.Fatal(err)
	}
	return s
}

// storeOn returns a store on folders that are there.
func storeOn(fsys vfs.FS, root string) *Store {
	return &Store{
		FS:       fsys,
		LockWait: time.Millisecond,
		Path: func(user string) (string, error) {
			if user == "unknown" {
				return "", maildrop.ErrNoUser
			}
			return filepath.Join(root, user), nil
		},
	}
}

// vanish removes a message as another mail program would.
func vanish(fsys vfs.FS, root string) func(pop3.UniqueID) error {
	return func(id pop3.UniqueID) error {
		for _, folder := range []string{newFolder, curFolder} {
			dir := filepath.Join(root, maildroptest.User, folder)
			names, err := fsys.ReadDir(dir)
			if err != nil {
				return err
			}
			for _, name := range names {
				if parseName(name).uniqueID() == id {
					return fsys.Remove(filepath.Join(dir, name))
				}
			}
		}
		return fs.ErrNotExist
	}
}

// On a real disk.
func TestStoreOnDisk(t *testing.T) {
	maildroptest.Run(t, func(t *testing.T) maildroptest.Subject {
		root, disk := t.TempDir(), &vfs.Fail{FS: vfs.OS{}}
		s := newStore(t, disk, root)
		return maildroptest.Subject{
			Store: s, Deliverer: s, Faults: disk,
			Vanish: vanish(disk, root),
			Fill:   func() error { return fill(disk, filepath.Join(root, maildroptest.User)) },
		}
	})
}

// On a file system that forgets what was not synced.
func TestStoreOnStrict(t *testing.T) {
	maildroptest.Run(t, func(t *testing.T) maildroptest.Subject { return strictSubject(t, same) })
}

// The same, with an index of each maildrop that outlives the power failures.
func TestStoreWithIndexOnStrict(t *testing.T) {
	maildroptest.Run(t, func(t *testing.T) maildroptest.Subject {
		strict := vfs.NewStrict()
		newStore(t, strict, strictRoot)
		return subjectWithIndex(strict, same, "/index")
	})
}

// same is no wrapper.
func same(fsys vfs.FS) vfs.FS { return fsys }

// strictSubject returns a Subject on a strict file system, seen through a
// wrapper.
func strictSubject(t testing.TB, wrap func(vfs.FS) vfs.FS) maildroptest.Subject {
	strict := vfs.NewStrict()
	newStore(t, strict, strictRoot) // durable also where the wrapper is not
	return subjectOn(strict, wrap)
}

const strictRoot = "/mail"

// subjectOn returns a Subject on a strict file system that has its folders.
func subjectOn(strict *vfs.Strict, wrap func(vfs.FS) vfs.FS) maildroptest.Subject {
	return subjectWithIndex(strict, wrap, "")
}

// subjectWithIndex is subjectOn with a folder for indexes.
func subjectWithIndex(strict *vfs.Strict, wrap func(vfs.FS) vfs.FS, index string) maildroptest.Subject {
	disk := &vfs.Fail{FS: wrap(strict)}
	s, dir := storeOn(disk, strictRoot), filepath.Join(strictRoot, maildroptest.User)
	s.Index, s.indexed = index, 1
	subject := maildroptest.Subject{
		Store: s, Deliverer: s, Faults: disk,
		Vanish:  vanish(disk, strictRoot),
		Fill:    func() error { return fill(strict, dir) },
		Disturb: (&neighbour{fs: strict, dir: dir}).disturb,
	}
	subject.Crash = func(seed uint64) maildroptest.Subject {
		strict.Crash(seed)
		after := storeOn(disk, strictRoot)
		after.Index, after.indexed = index, 1
		subject.Store, subject.Deliverer = after, after
		return subject
	}
	subject.Clone = func() func(uint64) maildroptest.Subject {
		clone := strict.Clone()
		return func(seed uint64) maildroptest.Subject {
			crashed := clone.Clone()
			crashed.Crash(seed)
			return subjectWithIndex(crashed, wrap, index)
		}
	}
	subject.Watch = func(before func(op string)) {
		disk.Before = nil
		if before != nil {
			disk.Before = func(op, _ string) { before(op) }
		}
	}
	return subject
}

// fill puts files into a Maildir as other programs leave them.
func fill(fsys vfs.FS, dir string) error {
	long := strings.Repeat("x", 90)
	err := errors.Join(
		put(fsys, dir, "cur/1000.M5P1.host:2,S", "no hints"),
		put(fsys, dir, "cur/1000.M1P1.host,S=12,W=13:2,RS", "right hints\n"),
		put(fsys, dir, "new/1000.M3P1.host,S=1,W=99", "wrong length\n"),
		put(fsys, dir, "cur/2000.twin.host:2,", "first twin"),
		put(fsys, dir, "cur/2000.twin.host:2,FS", "second twin"),
		put(fsys, dir, "new/2000.twin.host", "third twin"),
		put(fsys, dir, "new/"+long, "long name"),
		put(fsys, dir, "cur/"+long+":2,S", "twin of the long name"),
		put(fsys, dir, "new/3000.moved.host", "in new and in cur"),
		fsys.Link(filepath.Join(dir, "new/3000.moved.host"), filepath.Join(dir, "cur/3000.moved.host:2,")),
		put(fsys, dir, "cur/4000.trap.host", "first of a pair"),
		put(fsys, dir, "cur/4000.trap.host:2,S", "second of a pair"),
		trap(fsys, dir, "cur/4000.trap.host:2,S", "has the id that the one before would get"),
		fsys.SyncDir(filepath.Join(dir, newFolder)),
		fsys.SyncDir(filepath.Join(dir, curFolder)),
	)
	return err
}

// trap puts a file there whose name is the unique-id that a twin would get.
func trap(fsys vfs.FS, dir, twin, content string) error {
	info, err := fsys.Lstat(filepath.Join(dir, twin))
	if err != nil {
		return err
	}
	e := entryOf(place{curFolder, filepath.Base(twin)}, info)
	return put(fsys, dir, "cur/"+string(e.candidate(1)), content)
}

// put writes one file, durably but for the folder.
func put(fsys vfs.FS, dir, name, content string) error {
	f, err := fsys.Create(filepath.Join(dir, name), 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(f, content)
	return errors.Join(err, f.Sync(), f.Close())
}
