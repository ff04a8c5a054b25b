//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What is done for each message of a maildrop is done without package os, which makes
// more of a file than is needed here: to read 100,000 of them takes half the time.

// Create implements FS.
func (OS) Create(name string, perm fs.FileMode) (File, error) {
	return create(unix.AT_FDCWD, nil, name, perm)
}

// create makes a file in the folder that at is.
func create(at int, dir *folder, name string, perm fs.FileMode) (File, error) {
	f := &file{dir: dir, name: name}
	err := uninterrupted(func() (err error) {
		f.fd, err = unix.Openat(at, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, uint32(perm.Perm()))
		return err
	})
	if err != nil {
		return nil, f.failed("open", err)
	}
	return f, nil
}

// Lstat implements FS.
func (OS) Lstat(name string) (Info, error) {
	var st unix.Stat_t
	if err := uninterrupted(func() error { return unix.Lstat(name, &st) }); err != nil {
		return Info{}, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return statInfo(&st), nil
}

// Stat implements FS.
func (OS) Stat(name string) (Info, error) {
	var st unix.Stat_t
	if err := uninterrupted(func() error { return unix.Stat(name, &st) }); err != nil {
		return Info{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return statInfo(&st), nil
}

// openSeenFlags are those of OpenSeen. It neither follows a link nor waits for the other
// end of a FIFO.
const openSeenFlags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOCTTY | openFlags

// Open implements FS. It looks before it opens, because to open a device may already
// do something.
func (o OS) Open(name string) (File, error) {
	info, err := o.Lstat(name)
	if err == nil && !info.Mode.IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	if err != nil {
		return nil, err
	}
	f, _, err := openSeen(nil, name, func() (int, error) { return unix.Open(name, openSeenFlags, 0) })
	return f, err
}

// openSeen looks what it has opened, in a folder, or by a path where that is nil.
func openSeen(dir *folder, name string, open func() (int, error)) (File, Info, error) {
	f := &file{dir: dir, name: name}
	err := uninterrupted(func() (err error) {
		f.fd, err = open()
		return err
	})
	if err != nil {
		return nil, Info{}, f.failed("open", err)
	}
	info, err := f.Info()
	if err == nil && !info.Mode.IsRegular() {
		err = f.failed("open", ErrNotRegular)
	}
	if err != nil {
		f.Close()
		return nil, Info{}, err
	}
	return f, info, nil
}

// uninterrupted repeats what a signal ended early.
func uninterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// A file is an open regular file. Close waits for what is going on.
type file struct {
	dir  *folder // in which name is; nil: name is a path
	name string
	mu   sync.Mutex // guards fd
	fd   int        // -1: closed
}

// failed names the file. Its path is put together here and not for each file.
func (f *file) failed(op string, err error) error {
	path := f.name
	if f.dir != nil {
		path = filepath.Join(f.dir.name, path)
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// do makes one call with the descriptor.
func (f *file) do(op string, call func(fd int) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := fs.ErrClosed
	if f.fd >= 0 {
		err = uninterrupted(func() error { return call(f.fd) })
	}
	if err != nil {
		return f.failed(op, err)
	}
	return nil
}

// mostOctets is what some systems read or write at a time.
const mostOctets = 1 << 30

func (f *file) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	err = f.do("read", func(fd int) (err error) {
		n, err = syscall.Read(fd, p[:min(len(p), mostOctets)])
		return err
	})
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m := 0
		err := f.do("read", func(fd int) (err error) {
			m, err = syscall.Pread(fd, p[n:min(len(p), n+mostOctets)], off+int64(n))
			return err
		})
		if err != nil {
			return n, err
		}
		if m == 0 {
			return n, io.EOF
		}
		n += m
	}
	return n, nil
}

func (f *file) Write(p []byte) (n int, err error) {
	for n < len(p) {
		m := 0
		err := f.do("write", func(fd int) (err error) {
			m, err = syscall.Write(fd, p[n:min(len(p), n+mostOctets)])
			return err
		})
		if err == nil && m <= 0 {
			err = f.failed("write", io.ErrShortWrite)
		}
		if err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

func (f *file) Truncate(size int64) error {
	return f.do("truncate", func(fd int) error { return syscall.Ftruncate(fd, size) })
}

func (f *file) Info() (Info, error) {
	var st unix.Stat_t
	if err := f.do("fstat", func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return Info{}, err
	}
	return statInfo(&st), nil
}

func (f *file) Sync() error {
	return f.do("sync", fsync)
}

func (f *file) WriteOut() {
	f.do("write out", writeOut) // Sync tells what goes wrong
}

func (f *file) Chown(uid, gid int) error {
	return f.do("chown", func(fd int) error { return syscall.Fchown(fd, uid, gid) })
}

func (f *file) Chmod(mode fs.FileMode) error {
	return f.do("chmod", func(fd int) error { return syscall.Fchmod(fd, uint32(mode.Perm())) })
}

func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	fd := f.fd
	f.fd = -1
	err := fs.ErrClosed
	if fd >= 0 {
		err = syscall.Close(fd) // not again after a signal: it may be another file by then
	}
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return f.failed("close", err)
	}
	return nil
}

// statInfo is what the system says of a file. The types differ between systems.
func statInfo(st *unix.Stat_t) Info {
	return Info{
		Mode: fileMode(uint32(st.Mode)), Size: st.Size,
		ModTime: time.Unix(st.Mtim.Unix()), ChangeTime: time.Unix(st.Ctim.Unix()),
		ID:    FileID{Device: uint64(st.Dev), Inode: uint64(st.Ino)},
		Owner: Owner{Known: true, UID: st.Uid, GID: st.Gid},
	}
}

// fileMode is the mode of a file in the words of package fs.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode).Perm()
	switch mode & syscall.S_IFMT {
	case syscall.S_IFREG:
	case syscall.S_IFDIR:
		m |= fs.ModeDir
	case syscall.S_IFLNK:
		m |= fs.ModeSymlink
	case syscall.S_IFIFO:
		m |= fs.ModeNamedPipe
	case syscall.S_IFSOCK:
		m |= fs.ModeSocket
	case syscall.S_IFBLK:
		m |= fs.ModeDevice
	case syscall.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	default:
		m |= fs.ModeIrregular
	}
	if mode&syscall.S_ISUID != 0 {
		m |= fs.ModeSetuid
	}
	if mode&syscall.S_ISGID != 0 {
		m |= fs.ModeSetgid
	}
	if mode&syscall.S_ISVTX != 0 {
		m |= fs.ModeSticky
	}
	return m
}
