// Package sockets is what postfachd listens with: addresses that outlive the
// servers behind them, listening sockets that the service manager has opened,
// and the PROXY protocol.
package sockets

import (
	"context"
	"errors"
	"net"
	"sync"
)

// A Socket is one address that the process listens on for as long as it lives.
// Whoever serves at the moment accepts from a Turn; a new server can begin
// before the old one stops, so that no connection is ever refused between two.
type Socket struct {
	net.Listener
	accepted chan accepted
	closed   chan struct{}
	done     chan struct{} // closed when the accept loop has ended
	opening  sync.Once     // starts the accept loop
	closing  sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

// Listen opens an address, as in "127.0.0.1:1110". Port 0 is any free one. It is
// TCP and not Multipath TCP: Landlock's rules do not see the latter.
func Listen(address string) (net.Listener, error) {
	var tcp net.ListenConfig
	tcp.SetMultipathTCP(false)
	return tcp.Listen(context.Background(), "tcp", address)
}

// New returns the Socket of a listener, which it closes when it is closed itself.
// It accepts nothing before the first Turn.
func New(l net.Listener) *Socket {
	return &Socket{Listener: l, accepted: make(chan accepted), closed: make(chan struct{}), done: make(chan struct{})}
}

// accept hands on connections, and errors, which make whoever serves pause. A
// connection waits in the kernel until somebody takes the one before.
func (s *Socket) accept() {
	defer close(s.done)
	for {
		conn, err := s.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		select {
		case s.accepted <- accepted{conn, err}:
		case <-s.closed:
			if conn != nil {
				conn.Close()
			}
			return
		}
	}
}

// Close closes the address and waits for the accept loop.
func (s *Socket) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.closed)
		err = s.Listener.Close()
	})
	s.opening.Do(func() { close(s.done) }) // there never was a loop
	<-s.done
	return err
}

// Turn returns a listener that accepts from the socket until it is closed
// itself. The first turn begins to accept: until then, connections wait. proxies
// are believed; nil: there are none.
func (s *Socket) Turn(proxies *Proxies) *Turn {
	s.opening.Do(func() { go s.accept() })
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
	case <-t.over: // even when a connection waits: it is the next one's
		return nil, net.ErrClosed
	default:
	}
	select {
	case a := <-t.socket.accepted:
		if a.err != nil {
			return nil, a.err
		}
		return t.proxies.behind(a.conn), nil
	case <-t.over:
	case <-t.socket.closed:
	}
	return nil, net.ErrClosed
}

// Close ends the turn. The address stays open.
func (t *Turn) Close() error {
	t.once.Do(func() { close(t.over) })
	return nil
}

// Addr is the socket's.
func (t *Turn) Addr() net.Addr { return t.socket.Addr() }
