package pop3server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A session is one connection, from greeting to close. Its goroutine owns it.
type session struct {
	srv *Server
	id  string
	log *slog.Logger

	raw  net.Conn  // the connection as accepted; deadlines go here
	conn net.Conn  // raw, or TLS over it
	tls  *tls.Conn // conn, when TLS is active
	wire *wire     // raw, under tls
	r    *popwire.Reader
	w    *popwire.Writer
	lang language
	utf8 bool

	state     pop3.State
	loginBy   time.Time // absolute: AUTHORIZATION ends then
	timestamp string    // of the greeting; empty: no APOP on this connection
	name      string    // from USER, waiting for PASS
	failures  int       // refused logins
	bad       int       // bad commands in a row
	unproved  int       // names that SCRAM asked accounts about, without a proof

	other *Peer // what accounts know of the client; nil: nobody has asked

	box  *box // nil before TRANSACTION
	sent int  // messages sent whole, by RETR

	place   *place             // in the Guard's books
	network netip.Prefix       // where it comes from; zero: from no IP address
	present context.Context    // ends with the server or the session, or when it is evicted
	leave   context.CancelFunc // ends present

	turn   time.Duration // how long the last try waited for its turn
	waited time.Duration // how long all of them did
	told   bool          // that passwords are refused without TLS
	lines  int           // command lines so far

	refused bool          // one connection too many
	over    chan struct{} // closed at the end
}

// serve is the life of a session (RFC 1939 section 3). Messages leave the
// maildrop in update and nowhere else, and the only way there is a QUIT in the
// TRANSACTION state: a session that ends in any other way removes nothing
// (P3-ST-01, P3-ST-03).
func (s *session) serve(ctx context.Context) error {
	if err := s.greet(ctx); err != nil {
		return err
	}
	if err := s.run(ctx, pop3.Authorization); err != nil {
		return err
	}
	defer s.unlock(unlockPatience)
	if err := s.run(ctx, pop3.Transaction); err != nil {
		return err
	}
	return s.update(ctx)
}

// run obeys commands in one state until a handler says that the next state is
// reached, which is nil, or the session is over.
func (s *session) run(ctx context.Context, state pop3.State) error {
	s.state = state
	for {
		line, err := s.readCommand()
		if err == nil {
			err = s.obey(ctx, line)
		}
		var over *endError
		switch {
		case err == nil:
			s.bad = 0
		case errors.Is(err, errNextState):
			return nil
		case errors.As(err, &over):
			return err
		default:
			if err := s.refuse(err); err != nil {
				return err
			}
		}
	}
}

// errNextState is what a handler returns that has completed its state.
var errNextState = errors.New("next state")

// An endError ends the session. What is pending is still sent.
type endError struct {
	reason string // for the log, a word or two
	err    error  // nil: an orderly end
}

func (e *endError) Error() string {
	if e.err == nil {
		return e.reason
	}
	return e.reason + ": " + e.err.Error()
}

func (e *endError) Unwrap() error { return e.err }

// The reasons why sessions end; the log and the tests know them.
const (
	endQuit     = "quit"
	endHangup   = "hang-up"
	endIdle     = "auto-logout"
	endLogin    = "login deadline"
	endBehind   = "login deadline, waiting behind failed logins"
	endShutdown = "shutdown"
	endCut      = "reply cut off"
	endTLS      = "TLS handshake"
	endInjected = "octets behind STLS"
	endGuessing = "too many failed logins"
	endBad      = "too many bad commands"
	endBusy     = "too many connections"
	endLong     = "SASL response too long"
	endEvicted  = "evicted"
	endPanic    = "panic"
)

// Limits of lines, in octets. RFC 2449 asks for 255 (P3-SYN-06); AUTH's initial
// response and SASL responses are longer in practice (P3-AUTH-12, AMB-24).
const (
	commandLine = 2048
	saslLine    = 12 << 10
)

// readCommand returns the next command line.
func (s *session) readCommand() ([]byte, error) {
	return s.readLine(func(start []byte) int {
		if s.state == pop3.Authorization && popwire.IsAuth(start) {
			return saslLine
		}
		return commandLine
	})
}

// readLine returns the next line. What was answered so far goes out before it
// waits, so that pipelined commands cost one write (P3-PIPE-09).
func (s *session) readLine(limit func(start []byte) int) ([]byte, error) {
	if !s.r.LineBuffered() {
		if err := s.w.Flush(); err != nil {
			return nil, &endError{endHangup, err}
		}
	}
	deadline := s.loginBy
	if s.state == pop3.Transaction {
		deadline = time.Now().Add(s.srv.limits.Idle) // P3-ST-05
	}
	s.raw.SetDeadline(deadline) // for writing, too: TLS answers a client that wants new keys
	if s.srv.draining() {       // after the deadline is set: Shutdown does it the other way round
		return nil, &endError{endShutdown, nil}
	}
	line, err := s.r.ReadLineBy(limit)
	var timeout net.Error
	switch {
	case err == nil:
		return line, nil
	case errors.Is(err, popwire.ErrLineTooLong):
		return nil, &refusal{text: textTooLong, bad: true} // P3-SYN-08
	case s.srv.draining():
		return nil, &endError{endShutdown, nil}
	case errors.As(err, &timeout) && timeout.Timeout():
		if s.state == pop3.Authorization {
			return nil, &endError{endLogin, nil}
		}
		return nil, &endError{endIdle, nil} // silently (P3-ST-06)
	}
	return nil, &endError{endHangup, err}
}

// write puts one reply's octets into the output.
func (s *session) write(octets []byte) error {
	if _, err := s.w.Write(octets); err != nil {
		return &endError{endHangup, err}
	}
	return nil
}

// reply sends the first line of a reply.
func (s *session) reply(r popwire.Reply) error {
	return s.write(popwire.AppendReply(nil, r))
}

// ok sends a positive first line.
func (s *session) ok(t text, args ...any) error {
	return s.reply(popwire.Reply{OK: true, Text: t.in(s.lang, args...)})
}

// Write is where the output goes: as long as the client takes octets, piece by
// piece, it is not idle (AMB-30). Before the login there is no such grace.
func (s *session) Write(p []byte) (int, error) {
	deadline := s.loginBy
	if s.state != pop3.Authorization {
		deadline = time.Now().Add(s.srv.limits.Write)
	}
	s.raw.SetWriteDeadline(deadline)
	return s.conn.Write(p)
}

// secure reports whether a password may be said on this connection (P3-USR-08).
func (s *session) secure() bool {
	return s.tls != nil || s.srv.AllowCleartext ||
		isLoopback(s.raw.LocalAddr()) && isLoopback(s.raw.RemoteAddr())
}

func isLoopback(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

// login opens the maildrop of an authenticated user and enters TRANSACTION
// (P3-LCK-01). If it cannot be opened, the state stays AUTHORIZATION
// (P3-LCK-02).
func (s *session) login(who Identity, how string) error {
	user := who.User
	if err := s.srv.guard.enter(&s.srv.limits, s.place, user); err != nil {
		s.noLogin(who, how, err)
		return err
	}
	drop, err := s.openMaildrop(cmp.Or(who.Maildrop, user))
	if err != nil {
		s.srv.guard.leaveUser(s.place)
		s.noLogin(who, how, err)
		return &maildropError{user, err}
	}
	s.box = &box{drop: drop} // from here on the end of the session unlocks it
	s.box.list()
	s.log = s.log.With("user", user)
	s.log.Info("login", slices.Concat(who.values(how), s.tlsValues(), waitedValues(s.turn))...)
	if s.srv.LoggedIn != nil {
		s.srv.LoggedIn(s.peer(), who, how)
	}
	if err := s.sayListing(); err != nil {
		return err
	}
	return errNextState
}
