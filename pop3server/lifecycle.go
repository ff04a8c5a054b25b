package pop3server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A lifecycle is what a Server keeps while it serves.
type lifecycle struct {
	once      sync.Once
	rows      []row
	limits    Limits
	language  language
	tlsConfig *tls.Config // nil: no TLS
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

// Serve accepts connections from l until Shutdown or Close, and serves each in
// a goroutine of its own. It closes l. The error is never nil; after Shutdown
// or Close it is ErrServerClosed.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, false) }

// ServeTLS is Serve with TLS from the first octet (RFC 8314 section 3.1).
func (s *Server) ServeTLS(l net.Listener) error { return s.serve(l, true) }

func (s *Server) serve(l net.Listener, implicitTLS bool) error {
	defer l.Close()
	if err := s.start(); err != nil {
		return err
	}
	if implicitTLS && s.tlsConfig == nil {
		return ErrNoTLS
	}
	if !s.add(l) {
		return ErrServerClosed
	}
	defer s.remove(l)
	for pause := time.Duration(0); ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.begin(c, implicitTLS)
			continue
		case s.draining():
			return ErrServerClosed
		case errors.Is(err, net.ErrClosed):
			return err
		}
		// Too few descriptors, mostly: they come back.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.logger().Error("connection not accepted", "err", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-s.accepting.Done():
		}
	}
}

// ServeConn serves one connection and returns when it is over. It closes c. It
// is for connections that come from elsewhere than a listener.
func (s *Server) ServeConn(c net.Conn) error { return s.serveConn(c, false) }

// ServeConnTLS is ServeConn with TLS from the first octet.
func (s *Server) ServeConnTLS(c net.Conn) error { return s.serveConn(c, true) }

func (s *Server) serveConn(c net.Conn, implicitTLS bool) error {
	if err := s.start(); err != nil {
		c.Close()
		return err
	}
	if implicitTLS && s.tlsConfig == nil {
		c.Close()
		return ErrNoTLS
	}
	sess := s.begin(c, implicitTLS)
	if sess == nil {
		return ErrServerClosed
	}
	<-sess.over
	return nil
}

// begin starts a session, or refuses it. nil: it was refused.
func (s *Server) begin(c net.Conn, implicitTLS bool) *session {
	sess := &session{
		srv: s, raw: c, conn: c, lang: s.language,
		id:      strconv.FormatUint(s.serial.Add(1), 36) + "." + s.seed,
		loginBy: time.Now().Add(s.limits.Login),
		over:    make(chan struct{}),
	}
	sess.log = s.logger().With("session", sess.id, "rip", addressOf(c.RemoteAddr()))
	sess.newBuffers()
	if implicitTLS {
		sess.useTLS()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		c.Close()
		return nil
	}
	sess.refused = len(s.sessions) >= s.limits.Connections
	s.sessions[sess] = struct{}{}
	s.running.Go(sess.main)
	return sess
}

// main is a session's goroutine.
func (s *session) main() {
	begun := time.Now()
	var end error
	defer func() {
		if p := recover(); p != nil { // costs this session only
			s.log.Error("panic", "value", p, "stack", string(debug.Stack()))
			end = &endError{"panic", nil}
		}
		s.close(end)
		s.logEnd(end, time.Since(begun))
		s.srv.mu.Lock()
		delete(s.srv.sessions, s)
		s.srv.mu.Unlock()
		close(s.over)
	}()
	if s.refused {
		end = s.busy()
		return
	}
	end = s.serve(s.srv.serving)
}

// busy refuses a connection that is one too many (P3-GRT-13).
func (s *session) busy() error {
	if s.tls == nil { // a handshake is work that is not to be had for free now
		s.reply(popwire.Reply{Code: pop3.CodeSysTemp, Text: textTooMany.in(s.lang)})
	}
	return &endError{endBusy, nil}
}

// close sends what is pending and closes; after a cut, the connection is
// closed already.
func (s *session) close(end error) {
	if s.box != nil {
		s.box.unlock()
	}
	s.w.Flush()
	if s.tls != nil && s.tls.ConnectionState().HandshakeComplete {
		s.raw.SetWriteDeadline(time.Now().Add(time.Second))
		s.tls.CloseWrite() // close_notify (P3-TLS-17)
	}
	if s.r.Buffered() > 0 {
		s.linger()
	}
	s.raw.Close()
}

// linger lets a client that said more than it should read the last reply: to
// close while octets are unread would take the reply back from it.
func (s *session) linger() {
	tcp, ok := s.raw.(*net.TCPConn)
	if !ok || tcp.CloseWrite() != nil {
		return
	}
	tcp.SetReadDeadline(time.Now().Add(time.Second))
	io.CopyN(io.Discard, tcp, 1<<20)
}

// logEnd tells the session's story in one line.
func (s *session) logEnd(end error, took time.Duration) {
	values := []any{"reason", reason(end), "retrieved", s.sent, "took", took.Round(time.Millisecond)}
	if s.box != nil {
		marked := 0
		for _, m := range s.box.mark {
			if m {
				marked++
			}
		}
		values = append(values, "messages", len(s.box.messages), "marked", marked, "deleted", s.box.removed)
	}
	var over *endError
	if errors.As(end, &over) && over.err != nil {
		values = append(values, "err", over.err)
	}
	s.log.Info("session ended", values...)
}

func reason(end error) string {
	var over *endError
	if errors.As(end, &over) {
		return over.reason
	}
	return "error"
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

func (s *Server) greeting() string {
	if s.Greeting != "" {
		return s.Greeting
	}
	return textReady
}

// newTimestamp returns a msg-id that no greeting had before, made of what even
// old clients take for one (P3-GRT-03, P3-GRT-04).
func (s *Server) newTimestamp() string {
	host := s.Hostname
	if host == "" {
		host = "localhost"
	}
	return fmt.Sprintf("<%d.%d.%s@%s>", os.Getpid(), time.Now().Unix(), rand.Text(), host)
}

// addressOf is the peer's address without its port, for the log.
func addressOf(a net.Addr) string {
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		return host
	}
	return a.String()
}
