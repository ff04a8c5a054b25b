package vfs

import (
	"io/fs"
	"sync"
	"syscall"
)

// Fail is an FS on another one that counts operations and makes one of them
// fail, before it has done anything, save that a Write writes half of it and
// that what is to be closed is closed. Reading, writing and closing a file are
// operations like the others.
type Fail struct {
	FS  FS    // what is really done; not changed while in use
	Err error // what fails says; nil: syscall.EIO
	// Before, if not nil, is told of each operation before it is done or fails,
	// so that a test can copy the disk at this moment. Not changed while in use.
	Before func(op, name string)

	mu    sync.Mutex // guards what follows
	at    int
	dead  bool
	count int
	fired bool
}

// Arm starts to count anew: the n-th operation from now on fails, and with dead
// all later ones too. With n = 0 none does.
func (f *Fail) Arm(n int, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.dead, f.count, f.fired = n, dead, 0, false
}

// Fired reports whether an operation has failed since Arm.
func (f *Fail) Fired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// Count returns the operations since Arm.
func (f *Fail) Count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// step counts one operation and returns the error it has to fail with.
func (f *Fail) step(op, name string) error {
	if f.Before != nil {
		f.Before(op, name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if f.at == 0 || f.count < f.at || f.count > f.at && !f.dead {
		return nil
	}
	f.fired = true
	err := f.Err
	if err == nil {
		err = syscall.EIO
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open implements FS.
func (f *Fail) Open(name string) (File, error) {
	return f.file("open", name, func() (File, error) { return f.FS.Open(name) })
}

// Create implements FS.
func (f *Fail) Create(name string, perm fs.FileMode) (File, error) {
	return f.file("create", name, func() (File, error) { return f.FS.Create(name, perm) })
}

// Append implements FS.
func (f *Fail) Append(name string, perm fs.FileMode) (File, error) {
	return f.file("append", name, func() (File, error) { return f.FS.Append(name, perm) })
}

func (f *Fail) file(op, name string, open func() (File, error)) (File, error) {
	if err := f.step(op, name); err != nil {
		return nil, err
	}
	file, err := open()
	if err != nil {
		return nil, err
	}
	return &failFile{f, file, name}, nil
}

// ReadDir implements FS.
func (f *Fail) ReadDir(name string) ([]string, error) {
	if err := f.step("readdir", name); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(name)
}

// Lstat implements FS.
func (f *Fail) Lstat(name string) (Info, error) {
	if err := f.step("lstat", name); err != nil {
		return Info{}, err
	}
	return f.FS.Lstat(name)
}

// Stat implements FS.
func (f *Fail) Stat(name string) (Info, error) {
	if err := f.step("stat", name); err != nil {
		return Info{}, err
	}
	return f.FS.Stat(name)
}

// Mkdir implements FS.
func (f *Fail) Mkdir(name string, perm fs.FileMode) error {
	if err := f.step("mkdir", name); err != nil {
		return err
	}
	return f.FS.Mkdir(name, perm)
}

// Link implements FS.
func (f *Fail) Link(oldname, newname string) error {
	if err := f.step("link", newname); err != nil {
		return err
	}
	return f.FS.Link(oldname, newname)
}

// Rename implements FS.
func (f *Fail) Rename(oldname, newname string) error {
	if err := f.step("rename", newname); err != nil {
		return err
	}
	return f.FS.Rename(oldname, newname)
}

// Remove implements FS.
func (f *Fail) Remove(name string) error {
	if err := f.step("remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// SyncDir implements FS.
func (f *Fail) SyncDir(name string) error {
	if err := f.step("syncdir", name); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

// OpenFolder implements FS.
func (f *Fail) OpenFolder(name string) (Folder, error) {
	return f.folder("opendir", name, func() (Folder, error) { return f.FS.OpenFolder(name) })
}

func (f *Fail) folder(op, name string, open func() (Folder, error)) (Folder, error) {
	if err := f.step(op, name); err != nil {
		return nil, err
	}
	folder, err := open()
	if err != nil {
		return nil, err
	}
	return &failFolder{f, folder, name}, nil
}

// Lock implements FS. To give a lock back is no operation: it needs no disk.
func (f *Fail) Lock(dir string) (Lock, error) {
	return f.folder("lock", dir, func() (Folder, error) { return f.FS.Lock(dir) })
}

// Boot implements FS. It is no operation: it cannot fail.
func (f *Fail) Boot() string { return f.FS.Boot() }

type failFile struct {
	fail *Fail
	File
	name string
}

func (f *failFile) Read(p []byte) (int, error) {
	if err := f.fail.step("read", f.name); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *failFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fail.step("readat", f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *failFile) Write(p []byte) (int, error) {
	if err := f.fail.step("write", f.name); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f *failFile) Truncate(size int64) error {
	if err := f.fail.step("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *failFile) Sync() error {
	if err := f.fail.step("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *failFile) Chown(uid, gid int) error {
	if err := f.fail.step("chown", f.name); err != nil {
		return err
	}
	return f.File.Chown(uid, gid)
}

func (f *failFile) Chmod(mode fs.FileMode) error {
	if err := f.fail.step("chmod", f.name); err != nil {
		return err
	}
	return f.File.Chmod(mode)
}

func (f *failFile) Info() (Info, error) {
	if err := f.fail.step("fstat", f.name); err != nil {
		return Info{}, err
	}
	return f.File.Info()
}

func (f *failFile) Close() error {
	err := f.fail.step("close", f.name)
	closed := f.File.Close()
	if err != nil {
		return err
	}
	return closed
}
