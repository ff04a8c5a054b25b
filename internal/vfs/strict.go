package vfs

import (
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Strict is a file system in memory that promises no more than it must: Crash
// forgets what was not synced. It knows folders and regular files. Times are
// those of a clock that moves with every change, years ago, so that each run is
// like the other.
type Strict struct {
	// Clock, if not nil, says the time of each change, which may be that of the one
	// before. Not changed while in use.
	Clock func() time.Time

	mu   sync.Mutex // guards all inodes, too
	root *inode
	last uint64 // the newest inode's number
	now  time.Time
	boot int // how often it crashed: files opened before are dead
}

// An inode is a file or a folder: what a program sees, and what the disk has.
type inode struct {
	number         uint64
	mode           fs.FileMode
	changed, named time.Time // content, and content or names

	// of a file
	content []byte
	synced  []byte // the content at the last Sync
	dirty   bool   // content and synced may differ

	// of a folder
	entries map[string]*inode
	durable map[string]*inode // the entries at the last SyncDir
	pending []entryChange     // since then
	locked  bool
}

// An entryChange is one change of a folder that was not synced yet. A rename is
// two of them, so that a crash can split it.
type entryChange struct {
	name string
	to   *inode // nil: removed
}

// NewStrict returns an empty file system. Its root is "/".
func NewStrict() *Strict {
	s := &Strict{now: time.Unix(1_000_000_000, 0)}
	s.root = s.newInode(fs.ModeDir | 0o700)
	return s
}

func (s *Strict) newInode(mode fs.FileMode) *inode {
	s.last++
	i := &inode{number: s.last, mode: mode}
	if mode.IsDir() {
		i.entries, i.durable = map[string]*inode{}, map[string]*inode{}
	}
	s.touch(i)
	return i
}

func (s *Strict) touch(i *inode) {
	s.now = s.now.Add(time.Millisecond)
	if s.Clock != nil {
		s.now = s.Clock()
	}
	i.changed, i.named = s.now, s.now
}

// lookup returns the inode of name in a folder, or an error of the kind op would give.
func (s *Strict) lookup(from *inode, op, name string) (*inode, error) {
	clean := path.Clean("/" + filepath.ToSlash(name))
	if clean == "/" {
		return from, nil
	}
	dir, base, err := s.parent(from, op, name)
	if err != nil {
		return nil, err
	}
	i, ok := dir.entries[base]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOENT}
	}
	return i, nil
}

// parent returns the folder that name is in, and its name there.
func (s *Strict) parent(from *inode, op, name string) (dir *inode, base string, err error) {
	clean := path.Clean("/" + filepath.ToSlash(name))
	dir, err = s.lookup(from, op, path.Dir(clean))
	if err != nil {
		return nil, "", err
	}
	if !dir.mode.IsDir() {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: syscall.ENOTDIR}
	}
	return dir, path.Base(clean), nil
}

// set changes one entry of a folder; to is nil to remove it.
func (s *Strict) set(dir *inode, name string, to *inode) {
	if to == nil {
		delete(dir.entries, name)
	} else {
		dir.entries[name] = to
	}
	dir.pending = append(dir.pending, entryChange{name, to})
	s.touch(dir)
}

// Boot implements FS: it is another one after each Crash.
func (s *Strict) Boot() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strconv.Itoa(s.boot)
}

// Open implements FS.
func (s *Strict) Open(name string) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openAt(s.root, name)
}

func (s *Strict) openAt(from *inode, name string) (File, error) {
	i, err := s.lookup(from, "open", name)
	if err != nil {
		return nil, err
	}
	return s.open(i, name)
}

func (s *Strict) open(i *inode, name string) (File, error) {
	if !i.mode.IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	return &strictFile{fs: s, inode: i, name: name, boot: s.boot}, nil
}

// Create implements FS.
func (s *Strict) Create(name string, perm fs.FileMode) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.create(s.root, name, perm)
}

func (s *Strict) create(from *inode, name string, perm fs.FileMode) (File, error) {
	dir, base, err := s.parent(from, "create", name)
	if err != nil {
		return nil, err
	}
	if dir.entries[base] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: syscall.EEXIST}
	}
	i := s.newInode(perm.Perm())
	s.set(dir, base, i)
	return s.open(i, name)
}

// Append implements FS.
func (s *Strict) Append(name string, perm fs.FileMode) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir, base, err := s.parent(s.root, "append", name)
	if err != nil {
		return nil, err
	}
	i := dir.entries[base]
	if i == nil {
		i = s.newInode(perm.Perm())
		s.set(dir, base, i)
	}
	return s.open(i, name)
}

// ReadDir implements FS.
func (s *Strict) ReadDir(name string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readDir(s.root, name)
}

func (s *Strict) readDir(from *inode, name string) ([]string, error) {
	dir, err := s.folder(from, "readdir", name)
	if err != nil {
		return nil, err
	}
	return sortedNames(dir.entries), nil
}

func (s *Strict) folder(from *inode, op, name string) (*inode, error) {
	i, err := s.lookup(from, op, name)
	if err != nil {
		return nil, err
	}
	if !i.mode.IsDir() {
		return nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOTDIR}
	}
	return i, nil
}

// Lstat implements FS.
func (s *Strict) Lstat(name string) (Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lstat(s.root, name)
}

func (s *Strict) lstat(from *inode, name string) (Info, error) {
	i, err := s.lookup(from, "lstat", name)
	if err != nil {
		return Info{}, err
	}
	return i.info(), nil
}

// Stat implements FS: there are no links to follow.
func (s *Strict) Stat(name string) (Info, error) { return s.Lstat(name) }

func (i *inode) info() Info {
	return Info{
		Mode: i.mode, Size: int64(len(i.content)), ModTime: i.changed, ChangeTime: i.named,
		ID: i.id(),
	}
}

func (i *inode) id() FileID { return FileID{Device: 1, Inode: i.number} }

// Mkdir implements FS.
func (s *Strict) Mkdir(name string, perm fs.FileMode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mkdir(s.root, name, perm)
}

func (s *Strict) mkdir(from *inode, name string, perm fs.FileMode) error {
	dir, base, err := s.parent(from, "mkdir", name)
	if err != nil {
		return err
	}
	if dir.entries[base] != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.EEXIST}
	}
	s.set(dir, base, s.newInode(fs.ModeDir|perm.Perm()))
	return nil
}

// Link implements FS.
func (s *Strict) Link(oldname, newname string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link(s.root, oldname, s.root, newname)
}

func (s *Strict) link(from *inode, oldname string, into *inode, newname string) error {
	i, err := s.lookup(from, "link", oldname)
	if err != nil {
		return err
	}
	dir, base, err := s.parent(into, "link", newname)
	switch {
	case err != nil:
		return err
	case !i.mode.IsRegular():
		return &fs.PathError{Op: "link", Path: oldname, Err: ErrNotRegular}
	case dir.entries[base] != nil:
		return &fs.PathError{Op: "link", Path: newname, Err: syscall.EEXIST}
	}
	s.set(dir, base, i)
	i.named = s.now
	return nil
}

// Rename implements FS.
func (s *Strict) Rename(oldname, newname string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rename(s.root, oldname, s.root, newname)
}

func (s *Strict) rename(from *inode, oldname string, into *inode, newname string) error {
	i, err := s.lookup(from, "rename", oldname)
	if err != nil {
		return err
	}
	before, oldbase, err := s.parent(from, "rename", oldname)
	if err != nil {
		return err
	}
	to, newbase, err := s.parent(into, "rename", newname)
	if err != nil {
		return err
	}
	target := to.entries[newbase]
	switch {
	case target == i: // two links to one file: POSIX does nothing
		return nil
	case target != nil && (target.mode.IsDir() || i.mode.IsDir()):
		return &fs.PathError{Op: "rename", Path: newname, Err: syscall.EEXIST}
	}
	s.set(to, newbase, i)
	s.set(before, oldbase, nil)
	i.named = s.now
	return nil
}

// Remove implements FS.
func (s *Strict) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(s.root, name)
}

func (s *Strict) remove(from *inode, name string) error {
	i, err := s.lookup(from, "remove", name)
	if err != nil {
		return err
	}
	dir, base, err := s.parent(from, "remove", name)
	if err != nil {
		return err
	}
	if len(i.entries) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	s.set(dir, base, nil)
	i.named = s.now
	return nil
}

// SyncDir implements FS.
func (s *Strict) SyncDir(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.syncDir(s.root, name)
}

func (s *Strict) syncDir(from *inode, name string) error {
	dir, err := s.folder(from, "syncdir", name)
	if err != nil {
		return err
	}
	for _, c := range dir.pending {
		c.apply(dir.durable)
	}
	dir.pending = nil
	return nil
}

func (c entryChange) apply(entries map[string]*inode) {
	if c.to == nil {
		delete(entries, c.name)
		return
	}
	entries[c.name] = c.to
}

// OpenFolder implements FS.
func (s *Strict) OpenFolder(name string) (Folder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openFolder(s.root, name, name)
}

// openFolder opens a folder by its path from another one.
func (s *Strict) openFolder(from *inode, path, name string) (Folder, error) {
	i, err := s.folder(from, "open", path)
	if err != nil {
		return nil, err
	}
	return &strictFolder{fs: s, dir: i, id: i.id(), name: name, boot: s.boot}, nil
}

// Lock implements FS.
func (s *Strict) Lock(dir string) (Lock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.folder(s.root, "lock", dir)
	if err != nil {
		return nil, err
	}
	if i.locked {
		return nil, &fs.PathError{Op: "lock", Path: dir, Err: ErrLocked}
	}
	i.locked = true
	return &strictFolder{fs: s, dir: i, id: i.id(), name: dir, boot: s.boot, locks: true}, nil
}
