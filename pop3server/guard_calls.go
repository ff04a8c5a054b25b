package pop3server

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// errNoTurn: as many calls as may be are in the Store, and none of them comes back.
var errNoTurn = errors.New("too many calls of the store have not come back: a disk that does not answer?")

// calls counts those who are in the Store. Each may hold a thread for as long as a
// disk does not answer, and a process that gets no more threads dies (promise 17).
// Who waits here holds none. First come, first served.
//
// It has a lock of its own, not the Guard's: each read of a message passes here.
type calls struct {
	mu     sync.Mutex // guards what follows
	inside int
	queue  list.List // of *caller
}

// A caller waits for its turn.
type caller struct {
	most int           // calls at once, by its Server's Limits
	turn chan struct{} // closed when it has come
}

// enter waits so long for a turn, which leave gives back. The error is errNoTurn, or
// that of ctx.
func (c *calls) enter(ctx context.Context, most int, patience time.Duration) error {
	c.mu.Lock()
	if c.inside < most && c.queue.Len() == 0 {
		c.inside++
		c.mu.Unlock()
		return nil
	}
	me := &caller{most, make(chan struct{})}
	place := c.queue.PushBack(me)
	c.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNoTurn)
	defer cancel()
	select {
	case <-me.turn:
		return nil
	case <-ctx.Done():
		return c.giveUp(me, place, context.Cause(ctx))
	}
}

// giveUp takes a caller out of the queue, for this reason, unless its turn has come
// just now.
func (c *calls) giveUp(who *caller, place *list.Element, why error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-who.turn:
		return nil
	default:
	}
	c.queue.Remove(place)
	c.next() // those behind may be allowed more
	return why
}

// leave is the end of a call.
func (c *calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inside--
	c.next()
}

// next lets those in whose turn it is.
func (c *calls) next() {
	for first := c.queue.Front(); first != nil; first = c.queue.Front() {
		who := first.Value.(*caller)
		if c.inside >= who.most {
			return
		}
		c.inside++
		c.queue.Remove(first)
		close(who.turn)
	}
}

// now returns how many are in the Store, and how many wait for their turn.
func (c *calls) now() (inside, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inside, c.queue.Len()
}
