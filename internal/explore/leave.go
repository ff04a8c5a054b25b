package explore

import (
	"context"
	"fmt"
	"time"

	"postfach/pop3"
)

// quitPatience is how long the answer to a QUIT that deletes nothing is waited
// for.
const quitPatience = 5 * time.Second

// Release lets go of the maildrop; marks stay, nothing is deleted. Where messages
// were retrieved it ends the connection without QUIT: see tainted.
func (e *Explorer) Release(ctx context.Context) error {
	return e.request(ctx, func(_, wire context.Context) error {
		e.leave(wire, "")
		return nil
	})
}

// leave ends the session in good order, if there is one. The caller has the turn.
func (e *Explorer) leave(ctx context.Context, notice string) {
	e.mu.Lock()
	e.comeback.stop()
	e.mu.Unlock()
	s := e.session
	if s == nil {
		return
	}
	if s.tainted() {
		e.hangUpTainted(ctx, s)
		e.away(notice)
		if s.expires0() {
			e.tell1("let go without QUIT: this server may remove what was read (EXPIRE 0)")
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, quitPatience)
	defer cancel()
	// No mark is on the server: whatever comes of QUIT, it deletes nothing.
	s.c.Quit(ctx)
	e.hangUp(s, true)
	e.away(notice)
}

// hangUpTainted ends a session without QUIT. RSET before that is for servers that
// take a lost connection for QUIT (P3-CAPA-14).
func (e *Explorer) hangUpTainted(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(ctx, quitPatience)
	defer cancel()
	s.c.Rset(ctx)
	e.hangUp(s, true)
}

// hangUp closes the connection, without QUIT unless that has been said.
func (e *Explorer) hangUp(s *session, byUs bool) {
	if s.c != nil {
		if s.c.State() == pop3.Transaction { // QUIT was not answered
			e.cut = time.Now()
		}
		s.c.Close()
	}
	if s.name != "" {
		e.protocol.closed(s.name, byUs)
	}
	if e.session == s {
		e.session = nil
	}
}

// away says that the maildrop is let go, and why. Marks of messages without a
// unique-id end here: the next session has other numbers.
func (e *Explorer) away(notice string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state, e.busy = Away, ""
	e.tellOfConnection(notice)
	ended := 0
	for i := range e.list.rows {
		if r := &e.list.rows[i]; r.marked && r.key.bound() {
			e.list.mark(r, false)
			ended++
		}
	}
	if ended > 0 {
		e.tellOfMarks(fmt.Sprintf("%s ended with the session: the server gives these messages no unique-id of their own", count(ended, "mark", "marks")))
	}
	e.bell.ring()
	e.poke()
}

// lose says that the connection broke, and returns err. With a notice that is
// what a person hears, else the reason.
func (e *Explorer) lose(err error, notice string) error {
	if e.session == nil {
		return err
	}
	e.hangUp(e.session, false)
	if notice == "" {
		notice = fmt.Sprintf("the connection was lost (%s): nothing was deleted", reason(err))
	}
	e.away(notice)
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := e.list.marked; n > 0 {
		e.tellOfConnection(count(n, "mark is kept here", "marks are kept here"))
	}
	return err
}
