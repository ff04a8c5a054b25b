package pop3server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A lifecycle is what a Server keeps while it serves.
type lifecycle struct {
	once      sync.Once
	rows      []row
	limits    Limits
	language  language
	tlsConfig *tls.Config // nil: no TLS
	guard     *Guard
	started   error

	accepting context.Context // ends when the server stops
	stopping  context.CancelFunc
	serving   context.Context // ends when sessions are cut off
	cutting   context.CancelFunc

	serial atomic.Uint64 // of sessions
	seed   string        // makes timestamps differ from those of the last run

	mu        sync.Mutex // guards what follows
	stopped   bool
	listeners map[net.Listener]struct{}
	sessions  map[*session]struct{}
	running   sync.WaitGroup
}

// start fixes the configuration, at the first call.
func (s *Server) start() error {
	s.once.Do(func() {
		s.serving, s.cutting = context.WithCancel(context.Background())
		s.accepting, s.stopping = context.WithCancel(s.serving)
		s.listeners = make(map[net.Listener]struct{})
		s.sessions = make(map[*session]struct{})
		s.rows = commands()
		s.limits = s.Limits.withDefaults()
		s.guard = s.Guard
		if s.guard == nil {
			s.guard = new(Guard)
		}
		s.seed = rand.Text()[:8]
		if s.TLS != nil {
			s.tlsConfig = serverTLS(s.TLS)
		}
		if s.Store == nil {
			s.started = ErrNoStore
			return
		}
		var ok bool
		if s.language, ok = matchLanguage(s.Language); !ok && s.Language != "" {
			s.started = fmt.Errorf("pop3server: language %q is not known", s.Language)
		}
	})
	return s.started
}

// ready is nil if connections can be served.
func (s *Server) ready(implicitTLS bool) error {
	if err := s.start(); err != nil {
		return err
	}
	if implicitTLS && s.tlsConfig == nil {
		return ErrNoTLS
	}
	return nil
}

// Serve accepts connections from l until Shutdown or Close, and serves each in
// a goroutine of its own. It closes l. The error is never nil; after Shutdown
// or Close it is ErrServerClosed.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, false) }

// ServeTLS is Serve with TLS from the first octet (RFC 8314 section 3.1).
func (s *Server) ServeTLS(l net.Listener) error { return s.serve(l, true) }

func (s *Server) serve(l net.Listener, implicitTLS bool) error {
	defer l.Close()
	if err := s.ready(implicitTLS); err != nil {
		return err
	}
	if !s.add(l) {
		return ErrServerClosed
	}
	defer s.remove(l)
	spare := new(spare)
	defer spare.end()
	for trouble := new(acceptTrouble); ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			trouble.pause = 0
			s.begin(c, implicitTLS, spare)
		case s.draining():
			return ErrServerClosed
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			s.notAccepted(trouble, err)
		}
	}
}

// ServeConn serves one connection and returns when it is over. It closes c. It
// is for connections that come from elsewhere than a listener.
func (s *Server) ServeConn(c net.Conn) error { return s.serveConn(c, false) }

// ServeConnTLS is ServeConn with TLS from the first octet.
func (s *Server) ServeConnTLS(c net.Conn) error { return s.serveConn(c, true) }

func (s *Server) serveConn(c net.Conn, implicitTLS bool) error {
	if err := s.ready(implicitTLS); err != nil {
		c.Close()
		return err
	}
	sess := s.begin(c, implicitTLS, nil)
	if sess == nil {
		return ErrServerClosed
	}
	<-sess.over
	return nil
}

// begin starts a session, or refuses it. nil: it was refused.
func (s *Server) begin(c net.Conn, implicitTLS bool, spare *spare) *session {
	now := time.Now()
	if tcp, ok := c.(*net.TCPConn); ok {
		c = newTimedConn(tcp, now.Add(settleAfter))
	} else {
		spare = nil // where nothing else waits in Go's poller, it does not either: a testing/synctest bubble
	}
	sess := &session{
		srv: s, raw: c, conn: c, lang: s.language,
		id:      strconv.FormatUint(s.serial.Add(1), 36) + "." + s.seed,
		begun:   now,
		loginBy: now.Add(s.limits.Login),
		over:    make(chan struct{}),
	}
	sess.early = presence{server: s.accepting, deadline: sess.loginBy}
	sess.present = &sess.early
	sess.place = &place{conn: c, gone: sess.early.end}
	sess.newBuffers()
	if implicitTLS {
		sess.useTLS()
	}
	sess.refused = !s.guard.admit(&s.limits, sess.place)
	if !s.run(sess, spare) {
		sess.forget()
		c.Close()
		return nil
	}
	return sess
}

// run lets a session begin, on the spare goroutine if there is one. false: the server has
// stopped.
func (s *Server) run(sess *session, spare *spare) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.sessions[sess] = struct{}{}
	switch {
	case spare == nil:
		s.running.Go(sess.main)
	case !spare.call(sess):
		s.running.Go(func() { spare.serve(sess) })
	}
	return true
}

// Shutdown stops accepting, lets replies that have begun and removals end, and
// ends all sessions without obeying another command, so that nothing is
// deleted that was not already on its way (P3-ST-15). When ctx is done first,
// it cuts the rest off, waits a moment for it, and returns ctx's error; a store
// that hangs may keep a session for longer.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.stop(); err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		s.running.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for sess := range s.sessions {
		sess.raw.Close()
	}
	s.mu.Unlock()
	s.cutting()
	moment := time.NewTimer(cutOff)
	defer moment.Stop()
	select {
	case <-over: // a session that cannot write any more ends
	case <-moment.C:
	}
	return ctx.Err()
}

// cutOff is how long Shutdown waits for sessions that it has cut off.
const cutOff = 2 * time.Second

// Sessions returns how many connections are being served now.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Close ends everything at once. Removals that have begun still end.
func (s *Server) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// stop closes the listeners and wakes the sessions that wait for a command.
func (s *Server) stop() error {
	if err := s.start(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	s.stopping()
	for l := range s.listeners {
		l.Close()
	}
	for sess := range s.sessions {
		sess.raw.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

func (s *Server) draining() bool { return s.accepting.Err() != nil }

func (s *Server) add(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) remove(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) logger() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.Default()
}
