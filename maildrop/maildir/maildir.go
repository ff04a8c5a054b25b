// Package maildir is the default store: a folder for each user, with the
// messages as files in new/ and cur/, in the form that MTAs and other mail
// programs share. These may work on it at any time: nothing here relies on
// being alone, no flag is set, and nothing is moved, but for files that share
// the name of another.
package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
)

// DefaultLockWait is how long Open waits for another session. A person's
// second login should hear within a second or two that it is not the only one.
const DefaultLockWait = 1500 * time.Millisecond

// A Store keeps each maildrop in a Maildir. It is a maildrop.Store and a
// maildrop.Deliverer. Its fields are set before it is used.
type Store struct {
	// Path returns the folder of a user's Maildir, the one that holds new/ and
	// cur/. An error that wraps maildrop.ErrNoUser: there is no such user.
	Path func(user string) (string, error)
	// Missing is called with the folder of a Maildir that is not there, by Open and
	// Deliver. It makes one, which appears whole, and returns nil, or says why there
	// is none: to them that is maildrop.ErrNoUser. nil: none is ever made.
	Missing func(dir string) error
	// FS is where the folders are; nil is vfs.OS.
	FS vfs.FS
	// Hostname is part of the names of delivered files; empty is "localhost".
	Hostname string
	// LockWait is how long Open waits for a maildrop that another session has
	// locked; zero is DefaultLockWait.
	LockWait time.Duration
	// Index is a folder for what is known of large maildrops when the process ends;
	// empty: nothing is kept. Whatever is in it may be removed: that costs time only.
	Index string
	// Memory is how many octets may be kept of maildrops between sessions; zero is
	// DefaultMemory, less than that keeps nothing.
	Memory int64
	// Log gets what an operator should know about single files; nil: nobody.
	Log *slog.Logger

	sizes   sizes
	memory  memory
	helpers helpers
	kept    atomic.Int32 // folders that are open between messages; see keepOpen
	// indexed is from how many messages on a maildrop has an index; zero is manyMessages.
	indexed int

	making sync.Mutex // held while a Maildir is made

	mu    sync.Mutex // guards both
	clock clock
	swept map[string]time.Time // when sweep was last in a Maildir
}

// The folders of a Maildir.
const (
	newFolder = "new"
	curFolder = "cur"
	tmpFolder = "tmp"
)

// Errors of a folder that is no Maildir. They say that something is wrong on
// this machine: a maildrop must not look empty because a disk is not mounted.
var (
	// ErrNoFolders: the folder has none of those that make it a Maildir.
	ErrNoFolders = errors.New("neither new nor cur is in the Maildir")
	// ErrNotFolder: new or cur is a link, or no folder.
	ErrNotFolder = errors.New("not a folder of the Maildir's own")
)

// Create makes an empty Maildir, durably, with the folders above it that are
// missing. What is there already is left as it is.
func (s *Store) Create(dir string) error {
	for _, sub := range []string{newFolder, curFolder, tmpFolder} {
		if err := vfs.MkdirAll(s.fs(), filepath.Join(dir, sub), 0o700); err != nil {
			return fmt.Errorf("create maildir: %w", err)
		}
	}
	return nil
}

func (s *Store) fs() vfs.FS {
	if s.FS == nil {
		return vfs.OS{}
	}
	return s.FS
}

func (s *Store) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// root returns the folder of a user's Maildir.
func (s *Store) root(user string) (string, error) {
	if s.Path == nil {
		return "", errors.New("maildir: the Store has no Path")
	}
	root, err := s.Path(user)
	if err != nil {
		return "", err
	}
	return filepath.Clean(root), nil
}

// noUser says that a folder which is not there means that there is no such
// maildrop.
func noUser(err error) error {
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, maildrop.ErrNoUser) {
		return fmt.Errorf("%w: %w", maildrop.ErrNoUser, err)
	}
	return err
}
