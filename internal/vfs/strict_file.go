package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// A strictFile is an open file of a Strict.
type strictFile struct {
	fs     *Strict
	inode  *inode
	name   string
	boot   int
	off    int64 // of the next Read; Write always goes to the end
	closed bool
}

// lock takes the file system's lock, if the file can still be used.
func (f *strictFile) lock(op string) (unlock func(), err error) {
	f.fs.mu.Lock()
	if f.closed || f.boot != f.fs.boot {
		f.fs.mu.Unlock()
		return nil, &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	}
	return f.fs.mu.Unlock, nil
}

// WriteOut does nothing: what Crash leaves may be on the disk before it is synced.
func (f *strictFile) WriteOut() {}

func (f *strictFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.off)
	f.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *strictFile) ReadAt(p []byte, off int64) (int, error) {
	unlock, err := f.lock("read")
	if err != nil {
		return 0, err
	}
	defer unlock()
	if off >= int64(len(f.inode.content)) {
		return 0, io.EOF
	}
	n := copy(p, f.inode.content[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *strictFile) Write(p []byte) (int, error) {
	unlock, err := f.lock("write")
	if err != nil {
		return 0, err
	}
	defer unlock()
	f.setContent(append(f.inode.content[:len(f.inode.content):len(f.inode.content)], p...))
	return len(p), nil
}

func (f *strictFile) Truncate(size int64) error {
	unlock, err := f.lock("truncate")
	if err != nil {
		return err
	}
	defer unlock()
	content := make([]byte, size)
	copy(content, f.inode.content)
	f.setContent(content)
	return nil
}

// setContent never changes the octets of the content before: synced may be it.
func (f *strictFile) setContent(content []byte) {
	f.inode.content, f.inode.dirty = content, true
	f.fs.touch(f.inode)
}

func (f *strictFile) Sync() error {
	unlock, err := f.lock("sync")
	if err != nil {
		return err
	}
	defer unlock()
	f.inode.synced, f.inode.dirty = f.inode.content, false
	return nil
}

// Chown fails: there are no users here.
func (f *strictFile) Chown(int, int) error {
	return &fs.PathError{Op: "chown", Path: f.name, Err: errors.ErrUnsupported}
}

func (f *strictFile) Chmod(mode fs.FileMode) error {
	unlock, err := f.lock("chmod")
	if err != nil {
		return err
	}
	defer unlock()
	f.inode.mode = f.inode.mode&^fs.ModePerm | mode.Perm()
	f.fs.touch(f.inode)
	return nil
}

func (f *strictFile) Info() (Info, error) {
	unlock, err := f.lock("fstat")
	if err != nil {
		return Info{}, err
	}
	defer unlock()
	return f.inode.info(), nil
}

func (f *strictFile) Close() error {
	unlock, err := f.lock("close")
	if err != nil {
		return err
	}
	defer unlock()
	f.closed = true
	return nil
}
