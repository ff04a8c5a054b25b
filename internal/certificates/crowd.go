package certificates

import (
	"container/list"
	"net"
	"sync"
)

// A crowd is a listener with a bound on the connections that are there at once. When
// one more comes, the oldest goes: whoever says nothing on all of them keeps nobody
// out. With the listener all of them are closed.
type crowd struct {
	net.Listener
	most int

	mu     sync.Mutex // guards what follows
	here   list.List  // *visitor, oldest first
	closed bool
}

// A visitor is one of its connections.
type visitor struct {
	net.Conn
	crowd *crowd
	place *list.Element // in crowd.here, whose lock guards it; nil: closed
}

func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	v := &visitor{Conn: conn, crowd: c}
	out := c.enter(v)
	if out != nil {
		out.Close()
	}
	if out == v {
		return nil, net.ErrClosed
	}
	return v, nil
}

// enter returns who has to go, if somebody has to: v itself, when all is over.
func (c *crowd) enter(v *visitor) (out *visitor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return v
	}
	if c.here.Len() >= c.most {
		out = c.here.Front().Value.(*visitor)
	}
	v.place = c.here.PushBack(v)
	return out
}

// Close closes the listener and all who are here. It may be called more than once.
func (c *crowd) Close() error {
	c.mu.Lock()
	c.closed = true
	var here []*visitor
	for e := c.here.Front(); e != nil; e = e.Next() {
		here = append(here, e.Value.(*visitor))
	}
	c.mu.Unlock()
	err := c.Listener.Close()
	for _, v := range here {
		v.Close()
	}
	return err
}

// Close may be called more than once.
func (v *visitor) Close() error {
	v.crowd.mu.Lock()
	if v.place != nil {
		v.crowd.here.Remove(v.place)
		v.place = nil
	}
	v.crowd.mu.Unlock()
	return v.Conn.Close()
}
