package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"postfach/internal/config"
	"postfach/internal/hint"
)

// A socket is one address that the process listens on for as long as it lives.
// Whoever serves at the moment accepts from a turn; a new server can begin
// before the old one stops, so that no connection is ever refused between two.
type socket struct {
	net.Listener
	spec     config.Listener // as it was opened
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

// listenAll opens all addresses, or none.
func listenAll(specs []config.Listener) ([]*socket, error) {
	var sockets []*socket
	for _, spec := range specs {
		l, err := net.Listen("tcp", spec.Address)
		if err != nil {
			closeAll(sockets)
			return nil, listenHint(fmt.Errorf("listen on %s: %w", spec.Address, err))
		}
		sockets = append(sockets, newSocket(l, spec))
	}
	return sockets, nil
}

func listenHint(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return hint.Add(err, "another server has the port: end it, or choose another one with --pop3 ADDR and --pop3s ADDR (port 0: any free one)")
	case errors.Is(err, syscall.EACCES):
		return hint.Add(err, "ports below 1024 need root, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit file")
	}
	return hint.Add(err, "127.0.0.1:1110, [::1]:1110, :1110 for all addresses")
}

func newSocket(l net.Listener, spec config.Listener) *socket {
	return &socket{Listener: l, spec: spec, accepted: make(chan accepted), closed: make(chan struct{}), done: make(chan struct{})}
}

// accept hands on connections, and errors, which make whoever serves pause. A
// connection waits in the kernel until somebody takes the one before.
func (s *socket) accept() {
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
func (s *socket) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.closed)
		err = s.Listener.Close()
	})
	s.opening.Do(func() { close(s.done) }) // there never was a loop
	<-s.done
	return err
}

func closeAll(sockets []*socket) {
	for _, s := range sockets {
		s.Close()
	}
}

// protocol is what the address is for: pop3 or pop3s.
func (s *socket) protocol() string {
	if s.spec.TLS == config.Implicit {
		return "pop3s"
	}
	return "pop3"
}

func (s *socket) port() string {
	_, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		return ""
	}
	return port
}

// turn returns a listener that accepts from the socket until it is closed
// itself. The first turn begins to accept: until then, connections wait.
func (s *socket) turn() *turn {
	s.opening.Do(func() { go s.accept() })
	return &turn{socket: s, over: make(chan struct{})}
}

// A turn is one server's time at a socket. It is a net.Listener.
type turn struct {
	socket *socket
	once   sync.Once
	over   chan struct{}
}

func (t *turn) Accept() (net.Conn, error) {
	select {
	case <-t.over: // even when a connection waits: it is the next one's
		return nil, net.ErrClosed
	default:
	}
	select {
	case a := <-t.socket.accepted:
		return a.conn, a.err
	case <-t.over:
	case <-t.socket.closed:
	}
	return nil, net.ErrClosed
}

// Close ends the turn. The address stays open.
func (t *turn) Close() error {
	t.once.Do(func() { close(t.over) })
	return nil
}

func (t *turn) Addr() net.Addr { return t.socket.Addr() }
