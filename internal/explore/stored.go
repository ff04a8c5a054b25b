package explore

import (
	"context"
	"io"
	"sync"

	"postfach/internal/message"
)

// Open loads the whole message into a temporary file that nobody else sees. The
// caller closes the Stored. One that was opened a short while ago comes without
// asking the server again.
func (e *Explorer) Open(ctx context.Context, k Key) (*Stored, error) {
	size, listed := e.announced(k)
	for {
		c, loaded := e.stored.get(k, size, listed)
		switch {
		case c != nil:
			return newStored(c), nil
		case loaded == nil:
			c, err := e.load(ctx, k, size)
			e.stored.put(k, c)
			if err != nil {
				return nil, err
			}
			return newStored(c), nil
		}
		select {
		case <-loaded:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Save copies the message as it is to w, unparsed, and returns its octets.
func (e *Explorer) Save(ctx context.Context, k Key, w io.Writer) (int64, error) {
	c := e.stored.find(k, e.announced)
	if c == nil {
		return e.retrieve(ctx, k, w)
	}
	defer c.release()
	return io.Copy(w, interruptible{ctx, c.reader()})
}

// announced returns what the list says of a message's size. ok is false for one
// that is not in the list.
func (e *Explorer) announced(k Key) (size int64, ok bool) {
	entry, ok := e.Entry(k)
	if !ok {
		return -1, false
	}
	return entry.Size, true
}

// load gets the message from the server. The caller releases the content, which
// is nil beside an error.
func (e *Explorer) load(ctx context.Context, k Key, announced int64) (*content, error) {
	s := new(spool)
	if _, err := e.retrieve(ctx, k, s); err != nil {
		s.discard()
		return nil, err
	}
	return s.content(k, announced), nil
}

// A Stored is a message that was loaded. Close frees it. Its methods may be
// called from many goroutines, but not after Close.
type Stored struct {
	io.ReaderAt
	content *content
	once    sync.Once
}

func newStored(c *content) *Stored { return &Stored{ReaderAt: c, content: c} }

// Size returns its octets.
func (s *Stored) Size() int64 { return s.content.size }

// Message returns its parts. They are read once, and shared.
func (s *Stored) Message() *message.Message { return s.content.message() }

// Close frees the message.
func (s *Stored) Close() error {
	s.once.Do(s.content.release)
	return nil
}
