// Package maildrop is the border between a POP3 server and what keeps the
// mail. A maildrop is a list of messages, locked, read, and changed once, at
// QUIT. Stores know unique-ids; message numbers, deletion marks, RSET and TOP
// belong to the session and never reach them.
//
// Package maildroptest has the suite that every store passes.
package maildrop

import (
	"context"
	"errors"
	"fmt"
	"io"

	"postfach/pop3"
)

// A Store holds maildrops. Its methods may be called from many goroutines.
type Store interface {
	// Open takes the exclusive lock of user's maildrop and fixes what is in it
	// (P3-LCK-01, P3-LCK-07). It waits a second or two, in Rest, for a lock that
	// another session holds, then returns ErrLocked. ErrNoUser means that there is no
	// such maildrop. On any error nothing stays locked (P3-LCK-03).
	Open(ctx context.Context, user string) (Maildrop, error)
}

// A Maildrop is one opened maildrop. One session owns it: its methods are not
// called at the same time.
type Maildrop interface {
	// Messages returns what was there at Open, in the order of the message
	// numbers. Later arrivals never appear in it. The caller does not change
	// the slice.
	Messages() []Message

	// Content returns the octets of a message as they are stored, with LF or
	// CRLF line ends. ErrGone: somebody else removed it. ErrChanged: there is
	// another in its place. The caller closes the reader, before Update or
	// Close. A Read that fails with ErrChanged says that the octets are not
	// those whose size was announced: what was read so far must not be taken
	// for a message.
	Content(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error)

	// Update removes these messages and no others (P3-UPD-01, P3-UPD-03).
	// Ids that are gone already count as removed. nil means that the removal
	// is durable: it survives a power failure (P3-UPD-05). An *UpdateError
	// lists what may still be there. Update is called at most once.
	Update(ctx context.Context, deleted []pop3.UniqueID) error

	// Close gives the lock back. It removes nothing.
	Close() error
}

// A Summed is a Maildrop that knows how large all messages together are. Nobody has to
// add them up then for each poll of a large maildrop.
type Summed interface {
	Maildrop
	// TotalSize is the sum of the sizes in Messages, in octets on the wire.
	TotalSize() int64
}

// A Pausing is a Maildrop that keeps something open between messages that are read one
// after the other.
type Pausing interface {
	Maildrop
	// Pause says that none may be asked for in a while: what is kept is closed.
	Pause()
}

// A Message is one entry of a maildrop.
type Message struct {
	ID   pop3.UniqueID
	Size int64 // octets on the wire: each line end counts two, byte-stuffing none (P3-MSG-03, P3-MSG-04)
}

// A Countable is a reader from Content that checks the size, and need not count for that.
// Whoever counts anyway what it reads says so before the first Read, and has counted all of
// it before the next one.
type Countable interface {
	CountedBy(c Counter)
}

// A Counter counts what a message has on the wire, as Message.Size does.
type Counter interface {
	Size() int64 // had the message ended here
}

// A Deliverer puts new mail into maildrops.
type Deliverer interface {
	// Deliver stores the message. A nil error means that it is durable and
	// will be in every later Open; on any other, nothing of it is seen.
	Deliver(ctx context.Context, user string, msg io.Reader) (pop3.UniqueID, error)
}

// Errors of Open.
var (
	ErrLocked = errors.New("the maildrop is locked by another session")
	ErrNoUser = errors.New("there is no such maildrop")
)

// Errors of Content and of the reader that it returns.
var (
	ErrGone    = errors.New("the message is gone")
	ErrChanged = errors.New("the message is not what was announced")
)

// An UpdateError says that some marked messages may not have been removed.
// Those which are not listed are gone, durably.
type UpdateError struct {
	Remaining []pop3.UniqueID
	Err       error // the first cause
}

func (e *UpdateError) Error() string {
	return fmt.Sprintf("%d deleted messages not removed: %v", len(e.Remaining), e.Err)
}

func (e *UpdateError) Unwrap() error { return e.Err }
