package explore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"postfach/pop3"
)

// Headers are asked for many at a time. When the connection ends meanwhile, the
// message whose reply is missing may have no part in it: the server may have
// fallen over the one before, behind a complete reply. Both are suspects, which
// are asked for alone, each between two NOOP, and only what ends the connection
// then has a problem.

// suspect notes whom to ask for alone; mu is held.
func (e *Explorer) suspect(keys ...Key) {
	for _, k := range keys {
		if k != "" && !slices.Contains(e.suspects, k) {
			e.suspects = append(e.suspects, k)
		}
	}
}

// nextSuspect returns the next one that is in the list.
func (e *Explorer) nextSuspect() (i int32, number int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.suspects) > 0 {
		if i, ok = e.list.index[e.suspects[0]]; ok {
			return i, e.list.rows[i].number, true
		}
		e.suspects = e.suspects[1:]
	}
	return 0, 0, false
}

// acquit ends asking for the first suspect.
func (e *Explorer) acquit() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.suspects = e.suspects[1:]
}

// askAlone finds out whether the connection survives the header of row i. The
// caller has the turn.
func (e *Explorer) askAlone(ctx context.Context, i int32, number int) {
	s := e.session
	ctx, moved, stop := e.watchStalls(ctx)
	defer stop()
	if err := alive(ctx, s); err != nil {
		e.lostAtHeaders(s, err)
		return
	}
	moved()
	e.acquit()
	m, err := s.c.Top(ctx, number, 0)
	var no *pop3.Error
	switch {
	case errors.As(err, &no):
		e.refusedTop(s, i, no)
		err = nil
	case err != nil:
		err = fmt.Errorf("TOP: %w", err)
	default:
		moved()
		err = e.readHeader(s, i, m, moved)
	}
	if err == nil {
		err = alive(ctx, s)
	}
	if err != nil {
		e.lostAlone(s, i, number, err)
		return
	}
	e.survived()
}

// alive asks whether the connection stands.
func alive(ctx context.Context, s *session) error {
	err := s.c.Noop(ctx)
	var no *pop3.Error
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// lostAlone says that the connection ended at a header that was asked for alone.
// It is that message's fault, and the list goes on without it.
func (e *Explorer) lostAlone(s *session, i int32, number int, err error) {
	e.mu.Lock()
	switch {
	case e.life.Err() != nil, errors.Is(err, errRest), !s.topWork:
	case e.list.rows[i].summary != nil:
		e.list.fail(i, "the server ends the connection behind its header")
	default:
		e.list.fail(i, "its header cannot be read: "+reasonAtMessage(err))
	}
	e.mu.Unlock()
	e.countEnd(s)
	e.lose(err, fmt.Sprintf("the connection was lost at the header of message %d (%s): nothing was deleted", number, reason(err)))
}

// lostAtHeaders says that the connection ended while headers were read, and comes
// back for them.
func (e *Explorer) lostAtHeaders(s *session, err error) {
	e.countEnd(s)
	e.lose(err, fmt.Sprintf("the connection was lost while headers were read (%s): nothing was deleted", reason(err)))
}

// survived says that a header did not end the connection.
func (e *Explorer) survived() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endsInRow = 0
}

// countEnd asks for coming back, and gives up on headers when they cost too many
// connections.
func (e *Explorer) countEnd(s *session) {
	if e.life.Err() != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.comeback.want(s.since.Add(s.loginDelay()))
	e.endsInRow++
	switch {
	case !s.topWork && e.endsInRow > 1:
		e.noHeaders(noTop)
	case e.endsInRow >= maxEnds:
		e.noHeaders("the server ends the connection when it is asked for headers: no more are read")
	}
}
