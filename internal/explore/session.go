package explore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"postfach/internal/hint"
	"postfach/pop3"
	"postfach/pop3client"
)

// A session is one login: from here to its end the maildrop is ours.
type session struct {
	c     *pop3client.Client
	since time.Time
	alive time.Time // when the server last said something
	name  string    // the trace's
	count int       // of the Explorer's logins

	caps    pop3.Capabilities
	topWork bool // TOP is announced, or worked
	read    bool // messages, or parts, were read
	whole   bool // messages were retrieved whole
	batch   int  // how many headers are asked for at once
	last    Key  // the message that was asked for last and came whole
}

// tainted reports whether QUIT may remove what nobody marked. Servers that do so
// without announcing it remove what was retrieved whole, and some of them even
// after RSET.
func (s *session) tainted() bool { return s.whole || s.read && s.expires0() }

// delayed reports whether the server lets nobody in yet who leaves now.
func (s *session) delayed() bool { return time.Until(s.since.Add(s.loginDelay())) > 0 }

// expires0 reports whether the server may remove what was read when it hears
// QUIT (P3-CAPA-14).
func (s *session) expires0() bool {
	c, _ := s.caps.Lookup(pop3.CapExpire)
	return c.Has("0")
}

// loginDelay is the pause that the server wants between logins (P3-CAPA-12).
func (s *session) loginDelay() time.Duration {
	c, ok := s.caps.Lookup(pop3.CapLoginDelay)
	if !ok || len(c.Params) == 0 {
		return 0
	}
	const day = 24 * 60 * 60
	seconds, err := strconv.Atoi(c.Params[0])
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, day)) * time.Second
}

// Connect takes the maildrop and lists it. password is remembered for coming
// back until Close; empty: the remembered one, or Account.Password. What is
// marked stays marked where it is still there, and Status.Notice tells of what is
// not. While Held it lists anew. A *pop3.Error is the server's refusal.
func (e *Explorer) Connect(ctx context.Context, password string) error {
	return e.request(ctx, func(ask, wire context.Context) error {
		if e.session == nil {
			_, err := e.connect(ask, password)
			return err
		}
		// New mail shows in a new session only.
		if left := time.Until(e.session.since.Add(e.session.loginDelay())); left > 0 {
			e.tell1(fmt.Sprintf("new mail shows in %v at the earliest: this server wants a pause between logins", left.Round(time.Second)))
			return e.again(ask)
		}
		e.leave(wire, "")
		_, err := e.connect(ask, password)
		return err
	})
}

// again lists in the session that there is.
func (e *Explorer) again(ctx context.Context) error {
	s := e.session
	sizes, ids, err := listing(ctx, s.c)
	if err != nil {
		return e.lose(err, "")
	}
	e.take(s, sizes, ids)
	return nil
}

// here returns the session, connecting when Away; fresh says that it did. A
// connection that failed a moment ago is not tried again at once.
func (e *Explorer) here(ctx context.Context) (s *session, fresh bool, err error) {
	if e.session != nil {
		return e.session, false, nil
	}
	e.mu.Lock()
	err = e.comeback.soon()
	e.mu.Unlock()
	if err != nil {
		return nil, false, err
	}
	s, err = e.connect(ctx, "")
	return s, true, err
}

// connect makes a session and lists. The caller has the turn, and there is none.
func (e *Explorer) connect(ctx context.Context, typed string) (*session, error) {
	e.is(Connecting, "opening the maildrop")
	password, err := e.secret(ctx, typed)
	var s *session
	if err == nil {
		s, err = e.dialBehind(ctx, password)
	}
	if err != nil {
		// A password that is surely wrong is not tried again.
		if pop3.CodeOf(err).Is(pop3.CodeAuth) {
			e.password = ""
		}
		if ctx.Err() == nil || errors.Is(err, errSlow) {
			e.mu.Lock()
			e.comeback.failed(err)
			e.mu.Unlock()
		}
		e.is(Away, "")
		return nil, advise(err)
	}
	if typed != "" {
		e.password = typed
	}
	e.session = s
	return s, nil
}

// secret returns the password for a login.
func (e *Explorer) secret(ctx context.Context, typed string) (string, error) {
	switch {
	case e.a.NoPassword:
		return "", nil
	case typed != "":
		return typed, nil
	case e.password != "":
		return e.password, nil
	case e.a.Password == nil:
		return "", ErrPassword
	}
	password, err := e.a.Password(ctx)
	if err == nil && password == "" {
		err = ErrPassword
	}
	return password, err
}

// dial connects, logs in and lists.
func (e *Explorer) dial(ctx context.Context, password string) (s *session, err error) {
	if e.a.Dial == nil {
		return nil, errors.New("the account has no way to its maildrop")
	}
	e.logins++
	s = &session{batch: firstBatch, count: e.logins}
	defer func() {
		if err != nil {
			e.hangUp(s, true)
		}
	}()
	if s.c, err = e.a.Dial(ctx, e.tracing(s)); err != nil {
		return s, err
	}
	e.greeted(s)
	login := e.a.Login
	if login == nil {
		login = func(ctx context.Context, c *pop3client.Client, password string) error {
			return c.Login(ctx, e.a.User, password)
		}
	}
	if err = login(ctx, s.c, password); err != nil {
		return s, err
	}
	s.since, s.caps = time.Now(), s.c.Capabilities()
	s.topWork = s.caps.Has(pop3.CapTop)
	e.greeted(s)
	sizes, ids, err := listing(ctx, s.c)
	if err != nil {
		return s, err
	}
	s.alive = time.Now()
	e.take(s, sizes, ids)
	return s, nil
}

// tracing shows the conversation to the log and to whoever else wants it.
func (e *Explorer) tracing(s *session) func(pop3.TraceEvent) {
	return func(ev pop3.TraceEvent) {
		if s.name != "" && s.name != ev.Session { // Dial tried twice
			e.protocol.closed(s.name, true)
		}
		s.name = ev.Session
		e.protocol.event(ev)
		if e.o.Trace != nil {
			e.o.Trace(ev)
		}
	}
}

// greeted keeps what is known of the server.
func (e *Explorer) greeted(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.server = Server{Greeting: s.c.Greeting(), Capabilities: s.c.Capabilities()}
	if state, ok := s.c.TLS(); ok {
		e.server.TLS = &state
	}
}

// listing asks for numbers, sizes and unique-ids. A server may be without UIDL.
func listing(ctx context.Context, c *pop3client.Client) ([]pop3.ScanListing, []pop3.IDListing, error) {
	sizes, err := c.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	ids, err := c.UIDL(ctx)
	var no *pop3.Error
	if err != nil && !errors.As(err, &no) {
		return nil, nil, err
	}
	return sizes, ids, nil
}

// take makes a listing the list, and tells what became of marks. From here on the
// maildrop is Held.
func (e *Explorer) take(s *session, sizes []pop3.ScanListing, ids []pop3.IDListing) {
	e.mu.Lock()
	defer e.mu.Unlock()
	told := e.list.relist(s.count, sizes, ids)
	e.resolve(&told)
	switch n := len(told.gone); {
	case n > 0 && e.list.vague:
		e.tellOfMarks(fmt.Sprintf("%s cannot be found, and no longer marked: some messages have no unique-id of their own", count(n, "marked message", "marked messages")))
	case n > 0:
		e.tellOfMarks(fmt.Sprintf("%s not there any more, and no longer marked", count(n, "marked message is", "marked messages are")))
	}
	if n := len(told.changed); n > 0 {
		e.tellOfMarks(fmt.Sprintf("%s another size now, and no longer marked", count(n, "marked message has", "marked messages have")))
	}
	e.state, e.busy = Held, ""
	if e.committing {
		e.state, e.busy = Committing, deleting
	}
	e.connected()
	e.comeback.done()
	e.idle.look()
	e.start()
	e.poke()
	e.bell.ring()
}

// advise says what a person can do about a refusal, unless the account has said
// so.
func advise(err error) error {
	switch code := pop3.CodeOf(err); {
	case hint.Of(err) != "":
		return err
	case code.Is(pop3.CodeInUse):
		return hint.Add(err, "another program has the maildrop open: close it there, or wait a little")
	case code.Is(pop3.CodeLoginDelay):
		return hint.Add(err, "the server wants a pause between logins: wait a little")
	case code.Is(pop3.CodeAuth):
		return hint.Add(err, "the server does not take this user name and password")
	}
	return err
}

// count is a number and the word for it.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
