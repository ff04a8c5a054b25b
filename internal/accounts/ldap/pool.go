package ldap

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A pool keeps connections for later, and bounds how many there are.
type pool struct {
	dialer dialer
	slots  chan struct{} // one for each connection at work

	mu     sync.Mutex // guards what follows
	idle   []*connection
	closed bool
}

func newPool(d dialer, atOnce int) *pool {
	return &pool{dialer: d, slots: make(chan struct{}, atOnce)}
}

var errClosed = errors.New("the source of accounts is closed")

// do asks a question. One that finds a connection dead, because the server was
// restarted since, is asked again on a new one.
func (p *pool) do(ctx context.Context, ask func(*connection) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for a connection: %w", context.Cause(ctx))
	}
	defer func() { <-p.slots }()
	for {
		c, used, err := p.get(ctx)
		if err != nil {
			return err
		}
		err = c.during(ctx, func() error { return ask(c) })
		if ctx.Err() == nil && !broken(err) {
			p.put(c)
			return err
		}
		c.Close()
		if !used || ctx.Err() != nil {
			return err
		}
	}
}

// get returns a connection, and whether it was used before.
func (p *pool) get(ctx context.Context) (c *connection, used bool, err error) {
	p.mu.Lock()
	closed := p.closed
	for c == nil && len(p.idle) > 0 {
		last := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !last.IsClosing() {
			c = last
		}
	}
	p.mu.Unlock()
	if closed {
		return nil, false, errClosed
	}
	if c != nil {
		return c, true, nil
	}
	c, err = p.dialer.dial(ctx)
	return c, false, err
}

func (p *pool) put(c *connection) {
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if closed {
		c.Close()
	}
}

// close ends the connections that are idle. Those at work end with their work.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.Close()
	}
}
