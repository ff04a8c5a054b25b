// Package pop3test is a POP3 server for other people's tests: in memory, on
// loopback ports of its own, there at once and gone with the test.
//
//	srv := pop3test.NewServer(t)
//	srv.Put(pop3test.User, "Subject: hello\r\n\r\nworld\r\n")
//	// point the client under test at srv.Addr (STLS) or srv.AddrTLS
//	srv.WaitSessions(t.Context(), 1) // until it is done
//	srv.Assert(t, pop3test.NoPasswordBeforeTLS, pop3test.DeleAfterRetr)
//
// What the server does wrong is asked for in four ways: Be takes the name of a
// Personality ("window-250") or of a fault, Break the id of a requirement of
// Postfach's catalogue, Use a Fault, which is code, and a Rule is a Fault that
// is data:
//
//	fault, err := pop3test.Rule{On: "RETR", Times: 1, DropAfter: new(100)}.Fault()
//	srv.Use(fault) // cuts the connection in the middle of a message, once
//
// They add up, for connections that begin from then on. Recordings and
// Transcripts tell what crossed each connection; they are kept until Reset. A
// server takes about a millisecond to start, and tests with one each may run in
// parallel. Programs in other languages use "postfach testserver".
//
// Behind it stands Postfach's real server. What it does wrong, when it is asked
// to, is written out octet by octet in the faults, so that no formatter is
// judged by itself.
package pop3test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"

	"postfach/pop3"
	"postfach/pop3server"
)

// The account that every server has.
const (
	User     = "user"
	Password = "p w" // with a space, as passwords may have
)

// TB is what a test gives: a *testing.T, *testing.B or *testing.F.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A Server is a POP3 server for tests. Its methods may be called at any time,
// from any goroutine.
type Server struct {
	// Addr is in clear, with STLS; AddrTLS begins with TLS. Both are host:port
	// on loopback, and the certificate is for the name localhost as well.
	Addr, AddrTLS string
	// Roots trusts the server's certificate.
	Roots *x509.CertPool

	store     *drops
	inner     *pop3server.Server
	cert      *certificates
	listeners []net.Listener
	fronts    sync.WaitGroup
	done      chan struct{} // closed by Close
	kept      sync.Map      // what faults keep from session to session

	mu         sync.Mutex // guards what follows
	users      map[string]*user
	faults     []Fault
	recordings []*recorder
	conns      map[net.Conn]struct{}
	changed    chan struct{} // closed and replaced when a connection ends
	closed     bool
}

// NewServer starts a server, with the account User and Password and an empty
// maildrop. It is closed when the test ends.
func NewServer(t TB) *Server {
	t.Helper()
	s, err := Start()
	if err != nil {
		t.Fatalf("pop3test: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start is NewServer for programs that are no tests. The caller closes the
// server.
func Start() (*Server, error) { return StartAt("127.0.0.1:0", "127.0.0.1:0") }

// StartAt is Start with addresses to listen at.
func StartAt(addr, addrTLS string) (*Server, error) {
	cert, err := newCertificates()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Roots: cert.roots, cert: cert, store: newDrops(),
		users: make(map[string]*user), conns: make(map[net.Conn]struct{}),
		done: make(chan struct{}), changed: make(chan struct{}),
	}
	s.inner = s.newInner()
	s.AddUser(User, Password)
	for i, a := range []string{addr, addrTLS} {
		l, err := net.Listen("tcp", a)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.listeners = append(s.listeners, l)
		s.fronts.Go(func() { s.accept(l, i == 1) })
	}
	s.Addr, s.AddrTLS = s.listeners[0].Addr().String(), s.listeners[1].Addr().String()
	return s, nil
}

// newInner is the real server behind the faults.
func (s *Server) newInner() *pop3server.Server {
	return &pop3server.Server{
		Store: s.store, Auth: accounts{s}, APOP: accounts{s},
		TLS:            &tls.Config{Certificates: []tls.Certificate{s.cert.good}},
		AllowCleartext: true, // in a test there is nothing to steal
		Hostname:       "localhost",
		Limits:         innerLimits(),
		Log:            slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// Close ends the server and all its connections.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	for _, l := range s.listeners {
		l.Close()
	}
	s.inner.Close()
	s.fronts.Wait()
}

// ClientTLS returns a configuration that trusts the server.
func (s *Server) ClientTLS() *tls.Config {
	return &tls.Config{RootCAs: s.Roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// Put puts a message into a maildrop: octets with LF or CRLF. It is there in
// the next session.
func (s *Server) Put(user, message string) (pop3.UniqueID, error) {
	id, err := s.store.now().Deliver(context.Background(), user, strings.NewReader(message))
	if err != nil {
		return "", fmt.Errorf("put a message: %w", err)
	}
	return id, nil
}

// A Message is what is in a maildrop.
type Message struct {
	ID     pop3.UniqueID
	Octets string // as they were put in
}

// Messages returns what is in a maildrop now. What a session has marked as
// deleted is there until its QUIT.
func (s *Server) Messages(user string) ([]Message, error) {
	stored, err := s.store.now().Stored(user)
	if err != nil {
		return nil, err
	}
	all := make([]Message, 0, len(stored))
	for _, m := range stored {
		all = append(all, Message{m.ID, string(m.Octets)})
	}
	return all, nil
}

// Reset cuts all connections and takes mail, faults and recordings away, and
// all accounts but the one that every server has. Unique-ids and the numbers of
// connections begin again.
func (s *Server) Reset() {
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.store.empty()
	s.users, s.faults, s.recordings = make(map[string]*user), nil, nil
	s.kept.Clear()
	s.news()
	s.mu.Unlock()
	s.AddUser(User, Password)
}
