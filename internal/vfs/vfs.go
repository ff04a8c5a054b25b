// Package vfs is the file operations that durability rests on, as an interface,
// so that a test can make each of them fail. OS is the real file system, Strict
// one in memory that forgets whatever was not synced, and Fail makes the n-th
// operation of another one fail.
//
// Nothing here follows a symbolic link at the end of a name, save OpenFolder, Lock, Stat
// and SyncDir, which take the folder that somebody configured. What is done through a
// Folder follows none at all.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"time"
)

// An FS is a file system. Its methods may be called from many goroutines, and
// fail with errors for which errors.Is knows fs.ErrNotExist and fs.ErrExist.
type FS interface {
	// Open opens a regular file for reading. Anything else is ErrNotRegular:
	// a FIFO would block, a link may lead out of the folder. The caller
	// closes the File.
	Open(name string) (File, error)
	// Create makes a file that must not exist, for reading and writing. The
	// caller closes the File.
	Create(name string, perm fs.FileMode) (File, error)
	// Append opens a regular file for reading and writing, and makes it where
	// there is none. Each Write goes to its end. The caller closes the File.
	Append(name string, perm fs.FileMode) (File, error)
	// ReadDir returns the names in a folder, in no order.
	ReadDir(name string) ([]string, error)
	Lstat(name string) (Info, error)
	// Stat is Lstat of what a symbolic link leads to.
	Stat(name string) (Info, error)
	Mkdir(name string, perm fs.FileMode) error
	// Link gives a file a second name. It never replaces one.
	Link(oldname, newname string) error
	// Rename replaces newname when it exists.
	Rename(oldname, newname string) error
	Remove(name string) error
	// SyncDir makes durable what was created, linked, renamed and removed in
	// the folder before.
	SyncDir(name string) error
	// OpenFolder opens a folder. The caller closes it.
	OpenFolder(name string) (Folder, error)
	// Lock takes the exclusive lock of a folder, and does not wait: ErrLocked
	// when another session has it, in this process or in any. It leaves
	// nothing behind; it ends with Close, or with the process.
	Lock(dir string) (Lock, error)
	// Boot returns a word for the time since the machine started; empty: not
	// known. In another one, what was not synced before may be lost, whatever the
	// times of files and folders say.
	Boot() string
}

// withInfo says what an open file is, or closes it.
func withInfo(f File, err error) (File, Info, error) {
	if err != nil {
		return nil, Info{}, err
	}
	info, err := f.Info()
	if err != nil {
		f.Close()
		return nil, Info{}, err
	}
	return f, info, nil
}

// A Lock is a folder that somebody has locked. Close gives it back.
type Lock interface{ Folder }

// A Folder is an open folder. What is done through it is done in this very folder,
// wherever its path leads by now. Names are those of what is in it. All but Close may
// be called from many goroutines; Close comes after all else.
type Folder interface {
	io.Closer
	// ID returns which folder it is.
	ID() FileID
	// OpenFolder opens a folder in this one, and no link. The caller closes it.
	OpenFolder(name string) (Folder, error)
	// OpenSeen is Open of FS where a regular file was seen before: it does not look
	// first, and says what it has opened. A device that somebody has put in its place
	// is opened, and closed again. The name may be that of a file in a folder in this
	// one, with a slash: that is no link, either.
	OpenSeen(name string) (File, Info, error)
	// ReadDir returns the names in it, in no order.
	ReadDir() ([]string, error)
	// Names is ReadDir in parts: each call of next returns some of the names, and none
	// once there are no more. Only one reading of a Folder can go on at a time.
	Names() (next func() ([]string, error))
	Lstat(name string) (Info, error)
	// Create is that of FS.
	Create(name string, perm fs.FileMode) (File, error)
	Mkdir(name string, perm fs.FileMode) error
	// Link gives a file of this folder a second name, in a folder of the same file
	// system, which may be this one. It never replaces one.
	Link(oldname string, to Folder, newname string) error
	// Rename moves a file to a folder of the same file system, which may be this
	// one, and replaces newname when it exists.
	Rename(oldname string, to Folder, newname string) error
	Remove(name string) error
	// Sync is SyncDir.
	Sync() error
}

// A File is an open regular file.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	// Truncate cuts the file off, or fills it up with zeros.
	Truncate(size int64) error
	// Sync makes the content durable, but not the file's name: see SyncDir.
	Sync() error
	// WriteOut begins to bring the content to the disk, where the system knows of
	// that, so that a later Sync has less to wait for. It waits for nothing and
	// promises nothing; what goes wrong, Sync tells.
	WriteOut()
	// Chown gives the file to a user and a group; -1 leaves one as it is.
	Chown(uid, gid int) error
	Chmod(mode fs.FileMode) error
	Info() (Info, error)
}

// An Info says what a file is.
type Info struct {
	Mode    fs.FileMode
	Size    int64
	ModTime time.Time
	// ChangeTime also moves with names and permissions; zero: not known here.
	ChangeTime time.Time
	ID         FileID
	Owner      Owner
}

// An Owner is whose a file is. The zero Owner is not known: not every system has
// users with numbers.
type Owner struct {
	Known    bool
	UID, GID uint32
}

// A FileID tells one file from another, whatever their names: two names with
// the same one are links to one file. The zero FileID is not known.
type FileID struct {
	Device, Inode uint64
}

// Errors of Open, Append and Lock.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrLocked     = errors.New("locked")
)
