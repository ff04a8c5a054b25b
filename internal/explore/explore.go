// Package explore is what an explorer can do with a maildrop, without a screen:
// list, look, mark, save, delete. Its faces are internal/tui and internal/web.
//
// A POP3 session locks the maildrop against its owner's mail program, so the
// Explorer lets go of it when nobody looks, and comes back with a fresh listing.
// Marks therefore live here, by unique-id, and not on the server: DELE is sent
// only by Commit, all at once, directly before QUIT. A connection that is lost
// costs no marks and deletes nothing.
package explore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Errors that faces tell apart.
var (
	// ErrAway: the maildrop is not open, and this does not open it.
	ErrAway = errors.New("the maildrop is not open")
	// ErrReadOnly: marks are refused.
	ErrReadOnly = errors.New("this maildrop is open for reading only")
	// ErrGone: the message is not in the maildrop any more.
	ErrGone = errors.New("the message is not there any more")
	// ErrOtherMarks: Commit was given other messages than are marked.
	ErrOtherMarks = errors.New("other messages are marked than were shown")
	// ErrPassword: a password is needed first.
	ErrPassword = errors.New("the password is missing")
	// ErrExists: what would be written is there already.
	ErrExists = errors.New("the file exists")
	// ErrCommitting: marks cannot be changed while Commit runs.
	ErrCommitting = errors.New("the marked messages are being deleted right now")
)

// Errors that only people read.
var (
	errClosed  = errors.New("the explorer is closed")
	errStalled = errors.New("the server sends nothing")
)

// An Explorer is one account's maildrop, held or not. Its methods may be called
// from many goroutines.
//
// Who has the turn uses the connection. mu guards what people look at and is
// never held while the server is waited for; bell and protocol have locks of
// their own, which are taken last.
type Explorer struct {
	a Account
	o Options

	// life is the Explorer's own time, from New to Close; requests have their own
	// contexts.
	life context.Context
	end  context.CancelFunc

	turn     turn
	stall    atomic.Pointer[stall] // of the headers that are being read
	session  *session              // the turn's; nil: Away
	password string                // the turn's; what a person typed
	logins   int                   // the turn's
	cut      time.Time             // the turn's: when a session last ended without QUIT

	wake     chan struct{} // run has something to look at
	bell     bell
	protocol *protocol
	stored   storedCache

	mu         sync.Mutex    // guards what follows
	running    chan struct{} // closed when run has ended; nil: it never began
	state      State
	committing bool // marks stay as they are, whatever the state
	busy       string
	notices    notices
	server     Server // what is known of the server
	list       list
	looking    looking
	comeback   comeback
	endsInRow  int   // connections that ended at a header, without one read between
	suspects   []Key // messages to be asked for alone
	headersOff bool  // the server has no TOP, or chokes on it
	unresolved []Key // the answer to their deletion did not come
	idle       idle
}

// New returns an Explorer that is Away. Close it.
func New(a Account, o Options) *Explorer {
	life, end := context.WithCancel(context.Background())
	e := &Explorer{
		a: a, o: o, life: life, end: end,
		turn: make(turn, 1), wake: make(chan struct{}, 1),
		headersOff: o.NoHeaders,
	}
	e.protocol = newProtocol(o.Language, e.bell.ringSoon)
	return e
}

// account returns whose maildrop it is.
func (e *Explorer) account() Account { return e.a }

// How long Close waits for what is going on, before it cuts it off. An answer to
// QUIT is worth more time: without it nobody knows what was deleted.
const (
	closePatience  = 2 * time.Second
	commitPatience = 30 * time.Second
)

// Close releases and forgets everything.
func (e *Explorer) Close() error {
	e.mu.Lock()
	patience := closePatience
	if e.committing {
		patience = commitPatience
	}
	running := e.running
	e.mu.Unlock()

	e.hurry()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	err := e.turn.take(ctx)
	cancel()
	if err != nil {
		e.end()              // cuts off what has the turn
		e.turn <- struct{}{} // what had it was cut off and gives it back
	}
	e.leave(context.Background(), "")
	e.end()
	e.password = ""
	e.turn.give()
	if running != nil {
		<-running
	}
	e.bell.silence()
	e.stored.close()
	return nil
}
