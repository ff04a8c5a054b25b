//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

import (
	"errors"
	"io"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What is done for each message of a maildrop is done without package os, which makes
// more of a file than is needed here: to read 100,000 of them takes half the time.

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

// OpenSeen implements FS.
func (OS) OpenSeen(name string) (File, Info, error) {
	return openSeen("", name, func() (int, error) { return unix.Open(name, openSeenFlags, 0) })
}

// openSeen looks what it has opened. The name is in a folder, whose name is for errors; ""
// is none.
func openSeen(folder, name string, open func() (int, error)) (File, Info, error) {
	f := &reader{folder: folder, name: name}
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

// A reader is a regular file that is only read. Close waits for a Read.
type reader struct {
	folder, name string     // see openSeen
	mu           sync.Mutex // guards fd
	fd           int        // -1: closed
}

// failed names the file. Its path is put together here and not for each file.
func (f *reader) failed(op string, err error) error {
	path := f.name
	if f.folder != "" {
		path = f.folder + "/" + f.name
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// do makes one call with the descriptor.
func (f *reader) do(op string, call func(fd int) error) error {
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

// mostOctets is what some systems read at a time.
const mostOctets = 1 << 30

func (f *reader) Read(p []byte) (n int, err error) {
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

func (f *reader) ReadAt(p []byte, off int64) (n int, err error) {
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

func (f *reader) Info() (Info, error) {
	var st unix.Stat_t
	if err := f.do("fstat", func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return Info{}, err
	}
	return statInfo(&st), nil
}

func (f *reader) Sync() error {
	return f.do("sync", syscall.Fsync)
}

func (f *reader) Chown(uid, gid int) error {
	return f.do("chown", func(fd int) error { return syscall.Fchown(fd, uid, gid) })
}

func (f *reader) Chmod(mode fs.FileMode) error {
	return f.do("chmod", func(fd int) error { return syscall.Fchmod(fd, uint32(mode.Perm())) })
}

func (f *reader) Write([]byte) (int, error) { return 0, f.readOnly("write") }

func (f *reader) Truncate(int64) error { return f.readOnly("truncate") }

func (f *reader) readOnly(op string) error {
	return f.failed(op, syscall.EBADF)
}

func (f *reader) Close() error {
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
