package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"postfach/internal/hint"
	"postfach/internal/message"
	"postfach/pop3"
)

// maxPreview is what Preview returns at most, in octets: some servers send the
// whole message for TOP, and lines have any length.
const maxPreview = 1 << 20

// Preview returns the header and the first lines by TOP, without loading the
// message. It connects when Away, as all that need the server do.
func (e *Explorer) Preview(ctx context.Context, k Key, lines int) ([]byte, error) {
	return e.preview(ctx, k, lines, true)
}

// Glance is Preview for a message that nobody asked for, because the cursor rests on it:
// it is ErrAway when Away, and opens no maildrop.
func (e *Explorer) Glance(ctx context.Context, k Key, lines int) ([]byte, error) {
	return e.preview(ctx, k, lines, false)
}

func (e *Explorer) preview(ctx context.Context, k Key, lines int, opens bool) ([]byte, error) {
	var octets []byte
	err := e.message(ctx, k, opens, endsAtPreview, func(ask, wire context.Context, s *session, n int) (aftermath, error) {
		m, err := s.c.Top(wire, n, max(lines, 0))
		var no *pop3.Error
		if errors.As(err, &no) && !s.topWork {
			err = hint.Add(err, "this server may have no TOP: the whole message can still be opened")
		}
		if err != nil {
			return unanswered, err
		}
		s.read = true
		still := func() {}
		octets, err = readSome(m, maxPreview, still)
		if err == nil {
			_, err = skip(m, maxRest, still)
		}
		switch {
		case errors.Is(err, errRest):
			return tooLong, nil
		case !errors.Is(err, io.EOF):
			return cutOff, &lossError{n, int64(len(octets)), true, err}
		}
		s.topWork = true
		return whole, nil
	})
	if err != nil {
		return nil, err
	}
	e.learn(k, octets)
	return octets, nil
}

// retrieve copies message k whole to w, as the server stores it, and returns its
// octets. It connects when Away. A message that is cut off is an error that is
// io.ErrUnexpectedEOF.
func (e *Explorer) retrieve(ctx context.Context, k Key, w io.Writer) (octets int64, err error) {
	var header headerCopy
	err = e.message(ctx, k, true, endsAtLoad, func(ask, wire context.Context, s *session, n int) (aftermath, error) {
		m, err := s.c.Retr(wire, n)
		if err != nil {
			return unanswered, err
		}
		s.read, s.whole = true, true
		octets, err = copyMessage(ask, io.MultiWriter(w, &header), m, longest(m.Size))
		switch {
		case errors.Is(err, io.EOF):
			return whole, nil
		case ask.Err() == nil && !errors.Is(err, errWrite) && !errors.Is(err, errTooLong):
			return cutOff, &lossError{n, octets, true, err}
		}
		// Nobody wants the rest. A little is read, to save the connection.
		if _, rest := skip(m, maxUnwanted, func() {}); !errors.Is(rest, io.EOF) {
			return tooLong, err
		}
		return whole, err
	})
	if err == nil {
		e.learn(k, header)
	}
	return octets, err
}

// maxUnwanted is how much of a message that nobody wants any more is read: about
// what a new login costs.
const maxUnwanted = 1 << 20

// errWrite: it is not the server's fault.
var errWrite = errors.New("write")

// copyMessage copies until io.EOF, another error, or the end of ctx; at most
// limit octets.
func copyMessage(ctx context.Context, w io.Writer, m io.Reader, limit int64) (octets int64, err error) {
	buffer := make([]byte, 64<<10)
	for ctx.Err() == nil {
		n, err := m.Read(buffer)
		if octets+int64(n) > limit {
			return octets, errTooLong
		}
		if n > 0 {
			k, wrong := w.Write(buffer[:n])
			octets += int64(k)
			if wrong != nil {
				return octets, fmt.Errorf("%w: %w", errWrite, wrong)
			}
		}
		if err != nil {
			return octets, err
		}
	}
	return octets, context.Cause(ctx)
}

// A headerCopy keeps the start of what is written to it.
type headerCopy []byte

func (h *headerCopy) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), maxHeader-len(*h))]...)
	return len(p), nil
}

// learn keeps the summary of a message that was read, if the list has none.
func (e *Explorer) learn(k Key, octets []byte) {
	e.mu.Lock()
	i, ok := e.list.index[k]
	ok = ok && e.list.rows[i].summary == nil
	e.mu.Unlock()
	if !ok {
		return
	}
	summary := message.ReadSummary(octets[:min(len(octets), maxHeader)])
	e.mu.Lock()
	defer e.mu.Unlock()
	if i, ok := e.list.index[k]; ok && e.list.rows[i].summary == nil {
		e.list.learn(i, summary)
		e.bell.ring()
	}
}

// An aftermath says in what state a command for a message left the connection.
type aftermath uint8

const (
	whole      aftermath = iota // all was read
	unanswered                  // no reply came, or a refusal
	cutOff                      // it ended in the middle
	tooLong                     // what is left is too long to be read
)

// message does something with a message. A connection that turns out to have ended
// long ago is replaced, once; where there is none, it is made if opens, and else that is
// ErrAway. problem is what the message has when the connection is lost at it.
func (e *Explorer) message(ctx context.Context, k Key, opens bool, problem string, do func(ask, wire context.Context, s *session, n int) (aftermath, error)) error {
	if _, ok := e.Entry(k); !ok {
		return ErrGone
	}
	return e.request(ctx, func(ask, wire context.Context) error {
		if e.session == nil && !opens {
			return ErrAway
		}
		for second := false; ; second = true {
			s, fresh, err := e.here(wire)
			if err != nil {
				return firstOf(ask, err)
			}
			n, err := e.number(k)
			if err != nil {
				return err
			}
			how, err := do(ask, wire, s, n)
			var no *pop3.Error
			switch {
			case errors.As(err, &no), how == whole:
				s.alive, s.last = time.Now(), k
				if err == nil {
					e.mend(k, problem)
				}
				return firstOf(ask, err)
			case how == tooLong, ask.Err() != nil:
				e.giveUp(s)
				return firstOf(ask, err)
			case how == unanswered && !fresh && !second && ended(err):
				e.hangUp(s, false)
				e.away("")
			default:
				e.blame(k, problem)
				if how == unanswered {
					err = &lossError{number: n, err: err}
				}
				return e.lose(err, "")
			}
		}
	})
}

// ended reports whether the connection is closed, rather than silent or out of
// order.
func ended(err error) bool {
	var wrong *pop3.ProtocolError
	return !errors.As(err, &wrong) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// firstOf returns the end of the request as the reason, if it has ended.
func firstOf(ask context.Context, err error) error {
	if err != nil && ask.Err() != nil {
		return context.Cause(ask)
	}
	return err
}

// number is the message's, in this session.
func (e *Explorer) number(k Key) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, ok := e.list.index[k]
	if !ok {
		return 0, ErrGone
	}
	return e.list.rows[i].number, nil
}

// giveUp ends a connection that would still have to carry what nobody wants, and
// comes back for the headers.
func (e *Explorer) giveUp(s *session) {
	e.mu.Lock()
	e.comeback.want(s.since.Add(s.loginDelay()))
	e.mu.Unlock()
	e.hangUp(s, true)
	e.away("")
}
