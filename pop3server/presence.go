package pop3server

import (
	"context"
	"sync"
	"time"
)

// A presence is the context of a session that has not logged in: it ends with the server,
// when the time for the login is over, or when the session's place is needed. Few wait for
// any of that, so a context with a timer is made when somebody does.
type presence struct {
	server   context.Context
	deadline time.Time

	mu     sync.Mutex // guards what follows
	ended  bool
	timed  context.Context // nil: nobody has waited
	cancel context.CancelFunc
}

// end ends it. Again, it does nothing.
func (p *presence) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.cancel != nil {
		p.cancel()
	}
}

func (p *presence) Deadline() (time.Time, bool) { return p.deadline, true }

func (p *presence) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timed == nil {
		p.timed, p.cancel = context.WithDeadline(p.server, p.deadline)
		if p.ended {
			p.cancel()
		}
	}
	return p.timed.Done()
}

func (p *presence) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.timed != nil:
		return p.timed.Err()
	case p.ended:
		return context.Canceled
	case p.server.Err() != nil:
		return p.server.Err()
	case !time.Now().Before(p.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

func (p *presence) Value(key any) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timed != nil {
		return p.timed.Value(key)
	}
	return p.server.Value(key)
}
