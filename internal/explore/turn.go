package explore

import (
	"context"
	"sync"
	"time"
)

// A turn is the right to use the connection. Who waits gets it in the order of
// asking: reading headers gives it back after each batch, so that a person waits
// for one batch at most.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) give() { <-t }

// linger is how long a request that nobody wants any more may take to end in an
// orderly way. To cut it off at once would cost the connection, and a new login.
const linger = 2 * time.Second

// within returns two contexts: ask ends with ctx or with the Explorer; wire ends
// with the Explorer too, but only linger after ctx. cancel frees both.
func (e *Explorer) within(ctx context.Context) (ask, wire context.Context, cancel func()) {
	ask, endAsk := context.WithCancelCause(ctx)
	wire, endWire := context.WithCancelCause(context.WithoutCancel(ctx))
	unlife := context.AfterFunc(e.life, func() {
		endAsk(errClosed)
		endWire(errClosed)
	})
	late := time.AfterFunc(time.Hour, func() { endWire(context.Cause(ctx)) })
	late.Stop()
	unctx := context.AfterFunc(ctx, func() { late.Reset(linger) })
	return ask, wire, func() {
		unlife()
		unctx()
		late.Stop()
		endAsk(nil)
		endWire(nil)
	}
}

// A person's request waits for the turn, and runs with it. While one runs nobody
// is idle.
func (e *Explorer) request(ctx context.Context, do func(ask, wire context.Context) error) error {
	e.begin()
	defer e.finish()
	ask, wire, cancel := e.within(ctx)
	defer cancel()
	e.hurry()
	if err := e.turn.take(ask); err != nil {
		return err
	}
	defer e.turn.give()
	switch {
	case e.life.Err() != nil:
		return errClosed
	case ask.Err() != nil:
		return context.Cause(ask)
	}
	return do(ask, wire)
}

// How long a server may send nothing when it is asked for headers, and how long
// it may take for a batch of them: without, and with a person who waits.
const (
	stallPatience = 20 * time.Second
	stallHurried  = 5 * time.Second
	batchPatience = 5 * time.Minute
	batchHurried  = 30 * time.Second
)

// A stall ends a context when nothing moves any more, or too slowly to hold the
// maildrop for it. The client's own time limit is far too long for a list that
// somebody looks at.
type stall struct {
	mu       sync.Mutex // guards what follows
	patience time.Duration
	latest   time.Time // when the batch must be over
	timer    *time.Timer
}

// watchStalls returns a context that a server which sends nothing ends.
func (e *Explorer) watchStalls(ctx context.Context) (watched context.Context, moved, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	s := &stall{patience: stallPatience, latest: time.Now().Add(batchPatience)}
	s.timer = time.AfterFunc(s.patience, func() { cancel(errStalled) })
	e.stall.Store(s)
	e.mu.Lock()
	waited := e.idle.active > 0 // and asked for hurry too early
	e.mu.Unlock()
	if waited {
		e.hurry()
	}
	return watched, s.moved, func() {
		e.stall.Store(nil)
		s.mu.Lock()
		s.timer.Stop()
		s.mu.Unlock()
		cancel(nil)
	}
}

func (s *stall) moved() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Reset(min(s.patience, time.Until(s.latest)))
}

// hurry says that a person waits for the turn.
func (e *Explorer) hurry() {
	s := e.stall.Load()
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.patience == stallPatience && s.timer.Stop() {
		s.patience = stallHurried
		s.latest = time.Now().Add(batchHurried)
		s.timer.Reset(s.patience)
	}
}
