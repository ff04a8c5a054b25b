package certificates

import (
	"container/list"
	"net"
	"sync"
)

// A crowd is a listener with a bound on the connections that are there at once. When
// one more comes, the oldest goes: whoever says nothing on all of them keeps nobody
// out.
type crowd struct {
	net.Listener
	most int

	mu   sync.Mutex // guards what follows
	here list.List  // *visitor, oldest first
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
	if out := c.enter(v); out != nil {
		out.Close()
	}
	return v, nil
}

// enter returns who has to go, if somebody has to.
func (c *crowd) enter(v *visitor) (out *visitor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here.Len() >= c.most {
		out = c.here.Front().Value.(*visitor)
	}
	v.place = c.here.PushBack(v)
	return out
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
