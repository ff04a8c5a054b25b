package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"postfach/internal/vfs"
)

// Maildirs has an empty file for each Maildir that was made in Mail. One of those
// that is not there now is not made again: its disk may not be mounted.
func (f Folder) Maildirs() string { return f.in("maildirs") }

// owns reports whether dir is where the Maildir of an account lies that has no path
// of its own.
func (f Folder) owns(dir string) bool {
	return filepath.Dir(filepath.Clean(dir)) == filepath.Clean(f.Mail())
}

// NoteMaildir writes down, durably, that a Maildir is made in Mail. For others it
// does nothing.
func (f Folder) NoteMaildir(dir string) error {
	if !f.owns(dir) {
		return nil
	}
	if err := vfs.MkdirAll(vfs.OS{}, f.Maildirs(), 0o700); err != nil {
		return err
	}
	note, err := os.OpenFile(f.note(dir), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(note.Close(), vfs.OS{}.SyncDir(f.Maildirs()))
}

// HadMaildir reports whether NoteMaildir has been told of a Maildir.
func (f Folder) HadMaildir(dir string) bool { return f.owns(dir) && exists(f.note(dir)) }

// ForgetMaildir takes back what NoteMaildir has written down.
func (f Folder) ForgetMaildir(dir string) {
	if f.owns(dir) {
		os.Remove(f.note(dir))
	}
}

func (f Folder) note(dir string) string { return filepath.Join(f.Maildirs(), filepath.Base(dir)) }

// MakeMaildir makes a Maildir that is not there, with create, where that cannot hide
// one that is: in Mail, for an account that never had one. Elsewhere, and where mail
// has been before, it says what to do. No mail is lost by it (a disk that comes back
// later lies over what was made below it), and a slip in a source makes no folder
// anywhere else.
func (f Folder) MakeMaildir(dir string, create func(dir string) error) error {
	switch {
	case !f.owns(dir):
		return f.NoMaildir(dir)
	case f.HadMaildir(dir) || exists(filepath.Join(f.LastLogins(), filepath.Base(dir))):
		return fmt.Errorf("%w, and was there before: is its disk mounted?", f.NoMaildir(dir))
	case empty(f.Mail()) && !(empty(f.Maildirs()) && empty(f.LastLogins())):
		return fmt.Errorf("%w, and nothing else is in %s any more: is its disk mounted?", f.NoMaildir(dir), f.Mail())
	}
	if err := f.NoteMaildir(dir); err != nil {
		return err
	}
	// It appears whole: half a Maildir would be an error to whoever comes just then.
	// No user's name begins with a dot.
	half := filepath.Join(f.Mail(), ".new-"+filepath.Base(dir))
	err := create(half)
	if err == nil {
		err = os.Rename(half, dir)
	}
	if err != nil {
		os.RemoveAll(half) // there is no mail in it
		f.ForgetMaildir(dir)
		return err
	}
	return vfs.OS{}.SyncDir(f.Mail())
}

// NoMaildir is the error of a Maildir that is not there and is not made: it says who
// has to make what.
func (f Folder) NoMaildir(dir string) error {
	return fmt.Errorf("%w (make it with the folders new, cur and tmp, owned by uid %d: postfach user mkdir NAME)",
		&fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}, os.Getuid())
}

// exists also says yes where nobody can tell.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// empty reports whether nothing is in a folder, or it is not there.
func empty(dir string) bool {
	d, err := os.Open(dir)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer d.Close()
	names, _ := d.Readdirnames(1)
	return len(names) == 0
}
