package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"postfach/internal/message"
	"postfach/pop3"
	"postfach/pop3client"
)

// How headers are read.
const (
	defaultAhead = 500

	// A batch is as large as takes batchTime: a person who wants something else
	// waits for its end.
	firstBatch, maxBatch = 64, 256
	batchTime            = 250 * time.Millisecond

	maxHeader = 64 << 10 // what is looked at, in octets
	maxRest   = 4 << 20  // what is read and thrown away to save the connection

	// A connection that was silent for so long may have ended long before the
	// message that was asked for.
	silence = 5 * time.Second

	maxEnds = 3 // how often in a row TOP may end the connection
)

// mayRead reports whether there are headers to read; mu is held.
func (e *Explorer) mayRead() bool {
	return !e.headersOff && e.looking.yes && len(e.wanted(1)) > 0
}

// wanted returns the rows whose headers are read next; mu is held.
func (e *Explorer) wanted(n int) []int32 {
	ahead := e.o.Ahead
	if ahead == 0 {
		ahead = defaultAhead
	}
	return e.list.pick(e.looking.at, e.open(), n, ahead)
}

// readBatch reads some headers. The caller has the turn.
func (e *Explorer) readBatch(ctx context.Context) {
	if i, number, ok := e.nextSuspect(); ok {
		e.askAlone(ctx, i, number)
		return
	}
	s := e.session
	n := s.batch
	if !s.topWork {
		n = 1 // to find out whether there is TOP
	}
	numbers, rows := e.nextHeaders(n)
	ctx, moved, stop := e.watchStalls(ctx)
	defer stop()
	began := time.Now()
	for m, err := range s.c.TopAll(ctx, numbers, 0) {
		moved()
		i := rows[0]
		rows = rows[1:]
		var no *pop3.Error
		switch {
		case errors.As(err, &no):
			s.alive = time.Now()
			e.refusedTop(s, i, no)
		case err != nil:
			e.lostInBatch(s, i, fmt.Errorf("TOP: %w", err), false)
			return
		default:
			if err := e.readHeader(s, i, m, moved); err != nil {
				e.lostInBatch(s, i, err, true)
				return
			}
			e.survived()
		}
	}
	s.adapt(time.Since(began))
}

// adapt makes the next batch smaller or larger.
func (s *session) adapt(took time.Duration) {
	switch {
	case took > 2*batchTime:
		s.batch = max(s.batch/2, 1)
	case took < batchTime/2:
		s.batch = min(s.batch*2, maxBatch)
	}
}

// nextHeaders returns what is read next: numbers for the server, and rows.
func (e *Explorer) nextHeaders(n int) (numbers []int, rows []int32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	rows = e.wanted(n)
	for _, i := range rows {
		numbers = append(numbers, e.list.rows[i].number)
	}
	const busy = "reading headers"
	if e.busy != busy {
		e.busy = busy
		e.bell.ring()
	}
	return numbers, rows
}

// readHeader takes the summary out of a header, however long that is.
func (e *Explorer) readHeader(s *session, i int32, m *pop3client.Message, moved func()) error {
	s.read = true
	octets, err := readSome(m, maxHeader, moved)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	summary := message.ReadSummary(octets)
	e.mu.Lock()
	e.list.learn(i, summary)
	e.mu.Unlock()
	e.bell.ringSoon()
	s.topWork = true
	s.alive = time.Now()
	if err == nil {
		_, err = skip(m, maxRest, moved)
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	e.mu.Lock()
	s.last = e.list.rows[i].key
	e.mu.Unlock()
	return nil
}

// refusedTop notes that the server does not show a header.
func (e *Explorer) refusedTop(s *session, i int32, no *pop3.Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.topWork {
		s.last = e.list.rows[i].key
		e.list.fail(i, reason(no))
		e.bell.ringSoon()
		return
	}
	e.noHeaders(noTop)
}

const noTop = "this server has no TOP, so the list has no senders and subjects"

// noHeaders gives up on headers; mu is held.
func (e *Explorer) noHeaders(notice string) {
	e.headersOff = true
	e.tell(notice)
}

// lostInBatch says that the connection ended when the reply for row i was to
// come, or in the middle of it. Nobody is blamed for it before he was asked for
// alone, and nobody is suspected when the connection had been silent for so long
// that it may have ended before.
func (e *Explorer) lostInBatch(s *session, i int32, err error, begun bool) {
	switch {
	case e.life.Err() != nil:
		e.lose(err, "")
	case !begun && !errors.Is(err, errStalled) && time.Since(s.alive) > silence:
		e.mu.Lock()
		e.comeback.want(s.since.Add(s.loginDelay()))
		e.mu.Unlock()
		e.hangUp(s, false)
		e.away("")
	default:
		e.mu.Lock()
		if !errors.Is(err, errRest) {
			e.suspect(s.last, e.list.rows[i].key)
		}
		e.mu.Unlock()
		e.lostAtHeaders(s, err)
	}
}

// reasonAtMessage is reason, for one message.
func reasonAtMessage(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the server ends the connection there"
	}
	return reason(err)
}

// errRest is why a connection is given up that would have to carry too much that
// nobody wants.
var errRest = errors.New("what was sent is too long to be read to its end")

// readSome reads up to limit octets. io.EOF: there are no more.
func readSome(r io.Reader, limit int, moved func()) ([]byte, error) {
	octets := make([]byte, 0, 4<<10)
	for len(octets) < limit {
		if len(octets) == cap(octets) {
			octets = append(octets, 0)[:len(octets)]
		}
		n, err := r.Read(octets[len(octets):min(cap(octets), limit)])
		octets = octets[:len(octets)+n]
		if n > 0 {
			moved()
		}
		if err != nil {
			return octets, err
		}
	}
	return octets, nil
}

// skip reads what is left, up to limit octets; beyond it is errRest. io.EOF: all
// was read.
func skip(r io.Reader, limit int64, moved func()) (int64, error) {
	var scratch [16 << 10]byte
	var skipped int64
	for skipped <= limit {
		n, err := r.Read(scratch[:])
		skipped += int64(n)
		if n > 0 {
			moved()
		}
		if err != nil {
			return skipped, err
		}
	}
	return skipped, errRest
}
