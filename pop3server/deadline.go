package pop3server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// A timedConn is a connection whose deadlines can be moved at little cost. To move one of
// package net moves a timer, which often wakes a thread that has nothing to do: a twentieth of
// what a poll takes. So a deadline that is moved further away is only noted. When the one
// before it comes, whoever reads or writes goes on, until the one that was noted.
//
// It is for TCP itself, below TLS: a connection that remembers that a deadline has come, as
// those of package tls and behind a PROXY header do, could not go on.
type timedConn struct {
	net.Conn
	mu          sync.Mutex // guards what follows
	read, write deadline
}

// newTimedConn sets both deadlines. Best is a first one that is not after those to come.
func newTimedConn(c *net.TCPConn, first time.Time) *timedConn {
	both := deadline{first, first}
	c.SetDeadline(first)
	return &timedConn{Conn: c, read: both, write: both}
}

// A deadline is for reads or for writes. Zero: there is none.
type deadline struct {
	noted time.Time
	set   time.Time // in the connection; never after what is noted
}

// note reports whether the connection has to hear of the new one, too.
func (d *deadline) note(t time.Time) bool {
	d.noted = t
	if t.IsZero() || !d.set.IsZero() && !t.Before(d.set) {
		return false
	}
	d.set = t
	return true
}

// over reports whether a deadline that has come is the one that is noted. If not, this
// one is to be set.
func (d *deadline) over() bool {
	if d.set.Equal(d.noted) {
		return true
	}
	d.set = d.noted
	return false
}

func (c *timedConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *timedConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.read.note(t) {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *timedConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.write.note(t) {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

func (c *timedConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || c.readOver() {
			return n, err
		}
	}
}

func (c *timedConn) Write(p []byte) (written int, err error) {
	for {
		n, err := c.Conn.Write(p[written:])
		written += n
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || c.writeOver() {
			return written, err
		}
	}
}

func (c *timedConn) readOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read.over() || c.Conn.SetReadDeadline(c.read.set) != nil
}

func (c *timedConn) writeOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write.over() || c.Conn.SetWriteDeadline(c.write.set) != nil
}

// CloseWrite tells the other end that nothing more comes.
func (c *timedConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }
