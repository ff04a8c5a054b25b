// Package memory is the reference store: maildrops in memory, to be read in one
// sitting. What it holds is lost with the process.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"postfach/internal/popwire"
	"postfach/maildrop"
	"postfach/pop3"
)

// DefaultLockWait is how long Open waits for another session.
const DefaultLockWait = 1500 * time.Millisecond

// A Store keeps maildrops in memory. It is a maildrop.Store and a
// maildrop.Deliverer.
type Store struct {
	// LockWait is how long Open waits for a maildrop that another session has
	// locked; zero is DefaultLockWait. It is set before the first Open.
	LockWait time.Duration

	mu    sync.Mutex // guards users and all that is in them
	users map[string]*user
}

// A user has one maildrop.
type user struct {
	lock     chan struct{} // holds a token while a session has the maildrop
	messages []message     // as they came
	last     int64         // the number in the newest unique-id; only grows
}

type message struct {
	maildrop.Message
	octets []byte // never changed
}

// New returns a store without maildrops.
func New() *Store { return &Store{users: map[string]*user{}} }

// Create makes an empty maildrop. One that exists is left as it is.
func (s *Store) Create(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[name] == nil {
		s.users[name] = &user{lock: make(chan struct{}, 1)}
	}
}

func (s *Store) user(name string) (*user, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[name]
	if u == nil {
		return nil, fmt.Errorf("maildrop %q: %w", name, maildrop.ErrNoUser)
	}
	return u, nil
}

// Deliver implements maildrop.Deliverer.
func (s *Store) Deliver(ctx context.Context, name string, msg io.Reader) (pop3.UniqueID, error) {
	u, err := s.user(name)
	if err != nil {
		return "", err
	}
	octets, err := io.ReadAll(msg)
	if err != nil {
		return "", fmt.Errorf("deliver to %q: %w", name, err)
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("deliver to %q: %w", name, err)
	}
	var size popwire.Counter
	size.Write(octets)

	s.mu.Lock()
	defer s.mu.Unlock()
	u.last++ // P3-UIDL-06: a number is never given twice
	id := pop3.UniqueID(strconv.FormatInt(u.last, 10))
	u.messages = append(u.messages, message{maildrop.Message{ID: id, Size: size.Size()}, octets})
	return id, nil
}

// A Stored is a message with its octets, which are not to be changed.
type Stored struct {
	maildrop.Message
	Octets []byte
}

// Stored returns what is in a maildrop now, whether or not a session has it:
// for tests.
func (s *Store) Stored(name string) ([]Stored, error) {
	u, err := s.user(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Stored, 0, len(u.messages))
	for _, m := range u.messages {
		all = append(all, Stored{m.Message, m.octets})
	}
	return all, nil
}

// Open implements maildrop.Store.
func (s *Store) Open(ctx context.Context, name string) (maildrop.Maildrop, error) {
	u, err := s.user(name)
	if err != nil {
		return nil, err
	}
	if err := s.lock(ctx, u); err != nil {
		return nil, fmt.Errorf("open maildrop %q: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &drop{store: s, user: u}
	for _, m := range u.messages {
		d.messages = append(d.messages, m.Message)
	}
	return d, nil
}

// lock waits for the token, but not for long.
func (s *Store) lock(ctx context.Context, u *user) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case u.lock <- struct{}{}:
		return nil
	default:
	}
	wait := s.LockWait
	if wait == 0 {
		wait = DefaultLockWait
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case u.lock <- struct{}{}:
		return nil
	case <-timer.C:
		return maildrop.ErrLocked
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A drop is one opened maildrop.
type drop struct {
	store    *Store
	user     *user
	messages []maildrop.Message
	closed   bool
}

// Messages implements maildrop.Maildrop.
func (d *drop) Messages() []maildrop.Message { return d.messages }

// Content implements maildrop.Maildrop.
func (d *drop) Content(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	i := slices.IndexFunc(d.user.messages, func(m message) bool { return m.ID == id })
	if i < 0 {
		return nil, maildrop.ErrGone
	}
	return io.NopCloser(bytes.NewReader(d.user.messages[i].octets)), nil
}

// Update implements maildrop.Maildrop: all of them go, or none.
func (d *drop) Update(ctx context.Context, deleted []pop3.UniqueID) error {
	if err := ctx.Err(); err != nil {
		return &maildrop.UpdateError{Remaining: slices.Clone(deleted), Err: err}
	}
	gone := make(map[pop3.UniqueID]bool, len(deleted))
	for _, id := range deleted {
		gone[id] = true
	}
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.user.messages = slices.DeleteFunc(d.user.messages, func(m message) bool { return gone[m.ID] })
	return nil
}

// Close implements maildrop.Maildrop.
func (d *drop) Close() error {
	if !d.closed {
		<-d.user.lock
		d.closed = true
	}
	return nil
}
