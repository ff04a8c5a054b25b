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
	srv  *Server
	id   string
	rip  string // the client's address, for the log; empty: not known yet
	user string // who has logged in; empty: nobody

	raw  net.Conn  // the connection as accepted, TCP as a timedConn; deadlines go here
	conn net.Conn  // raw, or TLS over it
	tls  *tls.Conn // conn, when TLS is active
	wire *wire     // raw, under tls
	r    *popwire.Reader
	w    *popwire.Writer
	lang language
	utf8 bool

	state     pop3.State
	begun     time.Time
	settled   bool      // see settledMain
	silent    time.Time // since when, for a session that settles
	loginBy   time.Time // absolute: AUTHORIZATION ends then
	timestamp string    // of the greeting; empty: no APOP on this connection
	name      string    // from USER, waiting for PASS
	failures  int       // refused logins
	bad       int       // bad commands in a row
	args      [2]string // see argsRoom
	unproved  int       // names that SCRAM asked accounts about, without a proof

	other *Peer // what accounts know of the client; nil: nobody has asked

	box  *box // nil before TRANSACTION
	sent int  // messages sent whole, by RETR

	content turnedContent // of the message that is being read
	body    popwire.Body  // what it becomes

	place   *place          // in the Guard's books
	network netip.Prefix    // where it comes from; zero: from no IP address
	early   presence        // until the login
	present context.Context // early; after the login, what ends with the server

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
	if err := s.authorize(ctx); err != nil {
		return err
	}
	return s.transact(ctx)
}

// transact is a session from the login on, or from when it has settled.
func (s *session) transact(ctx context.Context) (err error) {
	defer func() {
		if err != errSettled {
			s.unlock(unlockPatience)
		}
	}()
	if err := s.run(ctx, pop3.Transaction); err != nil {
		return err
	}
	return s.update(ctx)
}

// authorize is a session until the login.
func (s *session) authorize(ctx context.Context) error {
	if err := s.greet(ctx); err != nil {
		return err
	}
	return s.run(ctx, pop3.Authorization)
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
		if err == nil {
			s.bad = 0
			continue
		}
		if errors.Is(err, errNextState) {
			return nil
		}
		if _, over := errors.AsType[*endError](err); over {
			return err
		}
		if err := s.refuse(err); err != nil {
			return err
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
		if err := s.wait(); err != nil {
			return nil, err
		}
	}
	if s.srv.draining() { // after the deadline is set: Shutdown does it the other way round
		return nil, &endError{endShutdown, nil}
	}
	line, err := s.r.ReadLineBy(limit)
	if err != nil {
		return nil, s.unread(err)
	}
	return line, nil
}

// wait is before a read that may have to wait: until the deadline of the state.
func (s *session) wait() error {
	if err := s.w.Flush(); err != nil {
		return &endError{endHangup, err}
	}
	if s.state != pop3.Transaction { // it is loginBy, from the first moment on
		return nil
	}
	if !s.settled {
		return s.waitBriefly()
	}
	s.pause()
	since := s.silent
	if s.silent = (time.Time{}); since.IsZero() {
		since = time.Now()
	}
	s.raw.SetDeadline(since.Add(s.srv.limits.Idle)) // P3-ST-05
	return nil
}

// waitBriefly waits for the next command, or its beginning, before the session settles:
// errSettled. Most sessions are over by then.
func (s *session) waitBriefly() error {
	now := time.Now()
	s.raw.SetReadDeadline(now.Add(settleAfter))
	if s.srv.draining() { // as in readLine, which ends the session
		return nil
	}
	if err := s.r.Await(); isTimeout(err) && !s.srv.draining() {
		s.settled, s.silent = true, now
		return errSettled
	}
	if !s.r.LineBuffered() {
		s.raw.SetDeadline(now.Add(s.srv.limits.Idle)) // P3-ST-05
	}
	return nil
}

// settleAfter is how long a session in the TRANSACTION state waits for a command before
// it settles.
const settleAfter = 2 * time.Second

// errSettled is how one goroutine's part of a session ends when it settles.
var errSettled error = &endError{"settled", nil}

// unread says what it means that no line could be read.
func (s *session) unread(err error) error {
	switch {
	case errors.Is(err, popwire.ErrLineTooLong):
		return &refusal{text: textTooLong, bad: true} // P3-SYN-08
	case s.srv.draining():
		return &endError{endShutdown, nil}
	case isTimeout(err):
		if s.state == pop3.Authorization {
			return &endError{endLogin, nil}
		}
		return &endError{endIdle, nil} // silently (P3-ST-06)
	}
	return &endError{endHangup, err}
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
	return s.write(popwire.AppendReply(s.w.Room(popwire.MaxReply), r))
}

// ok sends a positive first line, with numbers in the places that the text has for
// them.
func (s *session) ok(t text, numbers ...int64) error {
	return s.write(popwire.EndLine(t.append(s.beginOK(), s.lang, numbers...)))
}

// beginOK is where the text of a positive first line is to be appended.
func (s *session) beginOK() []byte { return popwire.AppendOK(s.w.Room(popwire.MaxReply)) }

// Write is where the output goes: as long as the client takes octets, piece by
// piece, it is not idle (AMB-30); a large piece counts as several. Before the login
// there is no such grace.
func (s *session) Write(p []byte) (int, error) {
	if s.tls != nil && s.state != pop3.Authorization {
		return s.writeTLS(p)
	}
	return s.writeOn(s.conn, p)
}

func (s *session) writeOn(conn net.Conn, p []byte) (int, error) {
	for written := 0; ; {
		s.setWriteDeadline()
		n, err := conn.Write(p[written:])
		written += n
		// TLS never goes on after an error, and one record is no larger.
		if err == nil || n < piece || !isTimeout(err) || s.state == pop3.Authorization {
			return written, err
		}
	}
}

func (s *session) setWriteDeadline() {
	if s.state == pop3.Authorization { // it is loginBy, from the first moment on
		return
	}
	s.raw.SetWriteDeadline(time.Now().Add(s.srv.limits.Write))
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
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
	s.user = user
	s.early.end() // nobody evicts it any more, and no deadline is for all of it
	s.present, s.place.gone = s.srv.accepting, nil
	s.srv.line(slog.LevelInfo, "login", slices.Concat(s.values(), who.values(how), s.tlsValues(), waitedValues(s.turn)))
	if s.srv.LoggedIn != nil {
		s.srv.LoggedIn(s.peer(), who, how)
	}
	if err := s.sayListing(); err != nil {
		return err
	}
	return errNextState
}
