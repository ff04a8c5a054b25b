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
	wanted   chan struct{} // a token for each connection that is to be accepted
	accepted chan accepted
	closed   chan struct{}
	done     chan struct{} // closed when the accept loop has ended
	opening  sync.Once     // starts the accept loop
	closing  sync.Once

	mu      sync.Mutex // guards what follows
	waiting int        // turns in Accept
	asked   bool       // one connection is wanted and has not come
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
	return &Socket{Listener: l, wanted: make(chan struct{}, 1), accepted: make(chan accepted), closed: make(chan struct{}), done: make(chan struct{})}
}

// accept hands on connections, and errors, which make whoever serves rest. It does
// so when it is asked: what it said about too few descriptors before a rest would be
// out of date after it.
func (s *Socket) accept() {
	defer close(s.done)
	for {
		select {
		case <-s.wanted:
		case <-s.closed:
			return
		}
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

// ask wants one connection for all turns that wait.
func (s *Socket) ask() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting++
	s.want()
}

// answer is the end of a turn's waiting. Where others wait, the next one is wanted.
func (s *Socket) answer(came bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
	if came {
		s.asked = false
		s.want()
	}
}

func (s *Socket) want() {
	if s.waiting > 0 && !s.asked {
		s.asked = true
		s.wanted <- struct{}{} // there is room: the last token was taken before its connection came
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
	t.socket.ask()
	came := false
	defer func() { t.socket.answer(came) }()
	select {
	case a := <-t.socket.accepted:
		came = true
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
