//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenFolder implements FS.
func (OS) OpenFolder(name string) (Folder, error) {
	f, err := openFolder(unix.AT_FDCWD, name, name, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Lock implements FS: flock on the folder itself, so that there is no lock file
// that could outlive its owner.
func (OS) Lock(dir string) (Lock, error) {
	f, err := openFolder(unix.AT_FDCWD, dir, dir, 0)
	if err != nil {
		return nil, err
	}
	err = uninterrupted(func() error { return unix.Flock(f.fd, unix.LOCK_EX|unix.LOCK_NB) })
	if err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, &fs.PathError{Op: "lock", Path: dir, Err: err}
	}
	return f, nil
}

// A folder is an open folder, and the name by which it was opened, for errors.
type folder struct {
	fd   int // -1: closed
	name string
	id   FileID
}

// openFolder opens a folder by its path from another one.
func openFolder(dir int, path, name string, flags int) (*folder, error) {
	f := &folder{name: name}
	var st unix.Stat_t
	err := uninterrupted(func() (err error) {
		f.fd, err = unix.Openat(dir, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if err := unix.Fstat(f.fd, &st); err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "fstat", Path: name, Err: err}
	}
	f.id = statInfo(&st).ID
	return f, nil
}

func (f *folder) ID() FileID { return f.id }

func (f *folder) Close() error {
	fd := f.fd
	f.fd = -1
	if fd < 0 {
		return &fs.PathError{Op: "close", Path: f.name, Err: fs.ErrClosed}
	}
	err := unix.Close(fd) // not again after a signal: it may be another file by then
	if err != nil && !errors.Is(err, unix.EINTR) {
		return &fs.PathError{Op: "close", Path: f.name, Err: err}
	}
	return nil
}

// do makes one call, and names what it was for.
func (f *folder) do(op, name string, call func() error) error {
	if f.fd < 0 {
		return f.failed(op, name, fs.ErrClosed)
	}
	if err := uninterrupted(call); err != nil {
		return f.failed(op, name, err)
	}
	return nil
}

func (f *folder) failed(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(f.name, name), Err: err}
}

func (f *folder) OpenFolder(name string) (Folder, error) {
	if f.fd < 0 {
		return nil, f.failed("open", name, fs.ErrClosed)
	}
	sub, err := openFolder(f.fd, name, filepath.Join(f.name, name), unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	return sub, nil
}

func (f *folder) OpenSeen(name string) (File, Info, error) {
	if f.fd < 0 {
		return nil, Info{}, f.failed("open", name, fs.ErrClosed)
	}
	return openSeen(f, name, func() (int, error) {
		if strings.Contains(name, "/") {
			return openBelow(f.fd, name)
		}
		return unix.Openat(f.fd, name, openSeenFlags, 0)
	})
}

// openStepwise opens a file in a folder in another one.
func openStepwise(dir int, name string) (int, error) {
	folder, file, found := strings.Cut(name, "/")
	if !found || strings.Contains(file, "/") {
		return -1, unix.EINVAL
	}
	sub, err := unix.Openat(dir, folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(sub)
	return unix.Openat(sub, file, openSeenFlags, 0)
}

// direntOctets is how much of a folder is read at a time: a thousand names and more.
const direntOctets = 128 << 10

func (f *folder) ReadDir() (names []string, err error) {
	next := f.Names()
	for {
		part, err := next()
		if err != nil {
			return nil, err
		}
		if len(part) == 0 {
			return names, nil
		}
		names = append(names, part...)
	}
}

func (f *folder) Names() func() ([]string, error) {
	var buf []byte
	return func() (names []string, err error) {
		if buf == nil { // the first part
			if err := f.do("readdir", "", func() error {
				_, err := unix.Seek(f.fd, 0, io.SeekStart)
				return err
			}); err != nil {
				return nil, err
			}
			buf = make([]byte, direntOctets)
		}
		for len(names) == 0 { // else a part with . and .. alone would look like the end
			n := 0
			if err := f.do("readdir", "", func() (err error) {
				n, err = unix.ReadDirent(f.fd, buf)
				return err
			}); err != nil {
				return nil, err
			}
			if n <= 0 {
				return nil, nil
			}
			_, _, names = unix.ParseDirent(buf[:n], -1, nil)
		}
		return names, nil
	}
}

func (f *folder) Lstat(name string) (Info, error) {
	var st unix.Stat_t
	if err := f.do("lstat", name, func() error { return unix.Fstatat(f.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
		return Info{}, err
	}
	return statInfo(&st), nil
}

func (f *folder) Create(name string, perm fs.FileMode) (File, error) {
	if f.fd < 0 {
		return nil, f.failed("open", name, fs.ErrClosed)
	}
	return create(f.fd, f, name, perm)
}

func (f *folder) Mkdir(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func() error { return unix.Mkdirat(f.fd, name, uint32(perm.Perm())) })
}

func (f *folder) Link(oldname string, to Folder, newname string) error {
	return f.into("link", to, newname, func(toFD int) error { return unix.Linkat(f.fd, oldname, toFD, newname, 0) })
}

func (f *folder) Rename(oldname string, to Folder, newname string) error {
	return f.into("rename", to, newname, func(toFD int) error { return unix.Renameat(f.fd, oldname, toFD, newname) })
}

// into makes one call that gives something of this folder a name in another one.
func (f *folder) into(op string, to Folder, name string, call func(toFD int) error) error {
	other, ok := to.(*folder)
	if !ok {
		return f.failed(op, name, fs.ErrInvalid)
	}
	if f.fd < 0 {
		return f.failed(op, name, fs.ErrClosed)
	}
	return other.do(op, name, func() error { return call(other.fd) })
}

func (f *folder) Remove(name string) error {
	return f.do("remove", name, func() error { return unix.Unlinkat(f.fd, name, 0) })
}

func (f *folder) Sync() error {
	return f.do("sync", "", func() error { return fsync(f.fd) })
}
