package vfs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// WriteFile replaces the content of a file, or makes it, so that after any
// crash the file is the old one or the new one, whole. When it returns nil the
// new content is durable; on an error the file is one of the two.
func WriteFile(fsys FS, name string, content []byte, perm fs.FileMode) error {
	return Replacement{Perm: perm}.Write(fsys, name, content)
}

// A Replacement says how a new file takes the place of an old one.
type Replacement struct {
	Perm fs.FileMode // less the umask
	// As is whose the new file is, and its mode, whatever the umask says: those of
	// the old one. A user who may not give files away keeps it, with that group and
	// mode. An *OwnerError says that not even this is possible. nil: Perm.
	As *Info
	// Last, if not nil, looks once more before the new file takes the place. After
	// an error the old one stays.
	Last func() error
	// Volatile says that nothing need be durable: a crash may cost both files.
	Volatile bool
}

// Write replaces the content of a file, or makes it. What an interrupted call leaves
// behind has a name of which Sweep knows whose it is.
func (r Replacement) Write(fsys FS, name string, content []byte) error {
	dir, base := filepath.Split(name)
	tmp := dir + temporary(base) + rand.Text()
	err := r.write(fsys, tmp, content)
	if err == nil && r.Last != nil {
		err = r.Last()
	}
	if err == nil {
		err = fsys.Rename(tmp, name)
	}
	if err != nil {
		fsys.Remove(tmp)
		return err
	}
	if r.Volatile {
		return nil
	}
	return fsys.SyncDir(filepath.Dir(name))
}

func (r Replacement) write(fsys FS, tmp string, content []byte) error {
	perm := r.Perm
	if r.As != nil {
		perm = r.As.Mode.Perm() &^ 0o077 // closed to the group until it is the right one
	}
	f, err := fsys.Create(tmp, perm)
	if err != nil {
		return err
	}
	if r.As != nil {
		err = become(f, *r.As)
	}
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil && !r.Volatile {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// An OwnerError says that a file cannot be given to a group.
type OwnerError struct {
	Owner Owner
	Err   error
}

func (e *OwnerError) Error() string { return fmt.Sprintf("group %d: %v", e.Owner.GID, e.Err) }

// Unwrap returns what the system says.
func (e *OwnerError) Unwrap() error { return e.Err }

// become gives a new file the owner, the group and the mode of an old one.
func become(f File, old Info) error {
	have, err := f.Info()
	if err != nil {
		return err
	}
	if err := give(f, have.Owner, old.Owner); err != nil {
		return &OwnerError{old.Owner, err}
	}
	if have.Mode.Perm() == old.Mode.Perm() {
		return nil
	}
	return f.Chmod(old.Mode.Perm())
}

func give(f File, have, want Owner) error {
	if !have.Known || !want.Known {
		return nil
	}
	if have.UID != want.UID && f.Chown(int(want.UID), int(want.GID)) == nil { // root may
		return nil
	}
	if have.GID == want.GID { // as in a setgid folder
		return nil
	}
	return f.Chown(-1, int(want.GID))
}

// temporary is what the name of a new file begins with until it takes the place of
// another one. A random text follows.
func temporary(base string) string { return "." + base + "." }

// Sweep removes what interrupted calls have left beside a file: regular files of this
// process's user with such names. The caller has a lock that keeps everybody away
// who writes the file. What cannot be removed stays.
func Sweep(fsys FS, name string) {
	dir, base := filepath.Split(name)
	names, err := fsys.ReadDir(filepath.Dir(name))
	if err != nil {
		return
	}
	for _, n := range names {
		text, found := strings.CutPrefix(n, temporary(base))
		if !found || !random(text) {
			continue
		}
		info, err := fsys.Lstat(dir + n)
		if err == nil && info.Mode.IsRegular() && (!info.Owner.Known || info.Owner.UID == uint32(os.Geteuid())) {
			fsys.Remove(dir + n)
		}
	}
}

// random reports whether a text has the form that rand.Text gives.
func random(text string) bool {
	return len(text) == len(rand.Text()) && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
