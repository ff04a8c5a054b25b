// Package sockets is what postfachd listens with: addresses that outlive the
// servers behind them, listening sockets that the service manager has opened,
// and the PROXY protocol.
package sockets

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// A Listener is what a Socket accepts from: those of TCP are.
type Listener interface {
	net.Listener
	// SetDeadline wakes an Accept that waits, and those to come.
	SetDeadline(t time.Time) error
}

// A Socket is one address that the process listens on for as long as it lives.
// Whoever serves at the moment accepts from a Turn; a new server can begin
// before the old one stops, so that no connection is ever refused between two.
type Socket struct {
	Listener
	accepting chan struct{} // has room for the one turn that accepts
	closing   sync.Once
}

// Listen opens an address, as in "127.0.0.1:1110". Port 0 is any free one. It is
// TCP and not Multipath TCP: Landlock's rules do not see the latter.
func Listen(address string) (Listener, error) {
	var tcp net.ListenConfig
	tcp.SetMultipathTCP(false)
	keepAlive(&tcp)
	l, err := tcp.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// New returns the Socket of a listener, which it closes when it is closed itself.
func New(l Listener) *Socket { return &Socket{Listener: l, accepting: make(chan struct{}, 1)} }

// Close closes the address.
func (s *Socket) Close() (err error) {
	s.closing.Do(func() { err = s.Listener.Close() })
	return err
}

// Turn returns a listener that accepts from the socket until it is closed
// itself. Until there is one, connections wait. proxies are believed; nil: there are
// none.
func (s *Socket) Turn(proxies *Proxies) *Turn {
	return &Turn{socket: s, proxies: proxies, over: make(chan struct{})}
}

// A Turn is one server's time at a socket. It is a net.Listener.
type Turn struct {
	socket  *Socket
	proxies *Proxies
	once    sync.Once
	over    chan struct{}
}

// Accept returns the next connection. It never waits for what a client says:
// PROXY headers are read by whoever uses the connection.
func (t *Turn) Accept() (net.Conn, error) {
	select {
	case t.socket.accepting <- struct{}{}:
	case <-t.over:
		return nil, net.ErrClosed
	}
	defer func() { <-t.socket.accepting }()
	for {
		select {
		case <-t.over: // even when a connection waits: it is the next one's
			return nil, net.ErrClosed
		default:
		}
		conn, err := t.socket.Listener.Accept()
		switch {
		case err == nil:
			return t.proxies.behind(conn), nil
		case errors.Is(err, net.ErrClosed): // the socket is
			return nil, net.ErrClosed
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, err
		}
		t.socket.SetDeadline(time.Time{}) // some turn is over, perhaps this one
	}
}

// Close ends the turn. The address stays open.
func (t *Turn) Close() error {
	t.once.Do(func() {
		close(t.over) // before Accept is woken, which looks
		t.socket.SetDeadline(time.Unix(1, 0))
	})
	return nil
}

// Addr is the socket's.
func (t *Turn) Addr() net.Addr { return t.socket.Addr() }
