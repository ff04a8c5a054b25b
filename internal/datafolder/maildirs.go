package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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
func (f Folder) HadMaildir(dir string) bool { return f.owns(dir) && vfs.Exists(f.note(dir)) }

// ForgetMaildir takes back what NoteMaildir has written down, of one that is not there.
func (f Folder) ForgetMaildir(dir string) {
	if f.owns(dir) && !vfs.Exists(dir) && os.Remove(f.note(dir)) == nil {
		vfs.OS{}.SyncDir(f.Maildirs()) //nolint:errcheck // after a crash somebody has to look
	}
}

func (f Folder) note(dir string) string { return filepath.Join(f.Maildirs(), filepath.Base(dir)) }

// MakeMaildir makes a Maildir that is not there, with create, and reports whether it has
// made one. A server and a delivery make one only where that cannot hide one that is: in
// Mail, for an account that never had one. Elsewhere, and where mail has been before, the
// error says what to do. No mail is lost by it (a disk that comes back later lies over
// what was made below it), and a slip in a source makes no folder anywhere else. When
// somebody else has just made it, all is well.
//
// said is for a person who says that there is to be a new one, wherever. Of one that is
// there create makes what is missing then.
func (f Folder) MakeMaildir(dir string, said bool, create func(dir string) error) (made bool, err error) {
	if !f.owns(dir) {
		if !said {
			return false, f.NoMaildir(dir)
		}
		there := vfs.Exists(dir)
		err := create(dir)
		return err == nil && !there, err
	}
	unlock, err := f.lockMaildirs()
	if err != nil {
		return false, err
	}
	defer unlock()
	begun, had := vfs.Exists(half(dir)), f.HadMaildir(dir)
	if vfs.Exists(dir) {
		os.RemoveAll(half(dir)) // it stands for this one no more
		if !said {
			return false, nil
		}
		return false, errors.Join(f.NoteMaildir(dir), create(dir))
	}
	if !said && !begun {
		if err := f.neverHadMail(dir); err != nil {
			return false, err
		}
	}
	if err := f.makeMaildir(dir, create); err != nil {
		if begun || !had { // what is begun never was
			f.ForgetMaildir(dir)
		}
		if !begun {
			os.RemoveAll(half(dir)) // there is no mail in it
		}
		return false, err
	}
	return true, nil
}

// makeMaildir has it appear whole: half a Maildir would be an error to whoever comes
// just then. The half is durable before the note, and goes when the Maildir comes: as
// long as it is there, the Maildir never was, whatever the note says. create may find a
// part of it, which an interrupted call has left.
func (f Folder) makeMaildir(dir string, create func(dir string) error) error {
	if err := create(half(dir)); err != nil {
		return err
	}
	if err := (vfs.OS{}).SyncDir(f.Mail()); err != nil {
		return err
	}
	if err := f.NoteMaildir(dir); err != nil {
		return err
	}
	if err := os.Rename(half(dir), dir); err != nil {
		return err
	}
	return vfs.OS{}.SyncDir(f.Mail())
}

// half is what a Maildir is called while it is made. No user's name begins with a dot.
func half(dir string) string { return filepath.Join(filepath.Dir(dir), ".new-"+filepath.Base(dir)) }

// neverHadMail is an error where a Maildir may have been before.
func (f Folder) neverHadMail(dir string) error {
	if f.HadMaildir(dir) || vfs.Exists(filepath.Join(f.LastLogins(), filepath.Base(dir))) {
		return fmt.Errorf("%w, and was there before: is its disk mounted?", f.NoMaildir(dir))
	}
	if empty(f.Mail()) && !(empty(f.Maildirs()) && empty(f.LastLogins())) {
		return fmt.Errorf("%w, and nothing else is in %s any more: is its disk mounted?", f.NoMaildir(dir), f.Mail())
	}
	return nil
}

// NeverWas is an error unless it is certain that a Maildir is not there and never was:
// it would lie in Mail, where others are, and nothing has been heard of it. Of other
// places nothing is known, and where nothing else is, a disk may be away.
func (f Folder) NeverWas(dir string) error {
	if !f.owns(dir) {
		return fmt.Errorf("%s is not in %s: whether it was there before, nobody knows", dir, f.Mail())
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s is there, or cannot be looked for", dir))
	}
	if err := f.neverHadMail(dir); err != nil {
		return err
	}
	d, err := os.Open(f.Mail())
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.Readdirnames(1); err != nil {
		return fmt.Errorf("nothing is in %s", f.Mail())
	}
	return nil
}

// lockWait is more than it takes others to make their Maildirs.
const lockWait = 10 * time.Second

// lockMaildirs keeps everybody else away who makes a Maildir, in other processes, too.
func (f Folder) lockMaildirs() (unlock func(), err error) {
	if err := vfs.MkdirAll(vfs.OS{}, f.Maildirs(), 0o700); err != nil {
		return nil, err
	}
	lock, err := vfs.LockWithin(vfs.OS{}, f.Maildirs(), lockWait)
	if errors.Is(err, errors.ErrUnsupported) {
		return func() {}, nil // a system without locks has no server either
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", f.Maildirs(), err)
	}
	return func() { lock.Close() }, nil
}

// NoMaildir is the error of a Maildir that is not there and is not made: it says who
// has to make what.
func (f Folder) NoMaildir(dir string) error {
	return fmt.Errorf("%w (make it with the folders new, cur and tmp, owned by uid %d: postfach user mkdir NAME)",
		&fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}, os.Getuid())
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
