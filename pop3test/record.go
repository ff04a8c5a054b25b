package pop3test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"postfach/pop3check"
)

// A recorder records one connection.
type recorder struct {
	mu    sync.Mutex // guards what follows
	rec   pop3check.Recording
	ended bool // nothing more will come
}

// add returns the event's index.
func (r *recorder) add(e pop3check.Event) int {
	e.Time = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rec.Events = append(r.rec.Events, e)
	return len(r.rec.Events) - 1
}

// remove takes back that octets were sent.
func (r *recorder) remove(at int, octets string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at < len(r.rec.Events) && r.rec.Events[at].Octets == octets {
		r.rec.Events = slices.Delete(r.rec.Events, at, at+1)
	}
}

func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

func (r *recorder) hasEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func (r *recorder) recording() pop3check.Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.rec
	rec.Events = slices.Clone(rec.Events)
	return rec
}

// Recordings returns what happened on all connections so far, in their order.
func (s *Server) Recordings() []pop3check.Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]pop3check.Recording, 0, len(s.recordings))
	for _, r := range s.recordings {
		all = append(all, r.recording())
	}
	return all
}

// WaitSessions waits until n connections have come and gone, since the start or
// the last Reset. A client that has its reply to QUIT is still a connection:
// what it did is fully recorded only when this returns.
func (s *Server) WaitSessions(ctx context.Context, n int) error {
	for {
		ended, news := s.ended()
		if ended >= n {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d sessions have ended: %w", ended, n, ctx.Err())
		case <-s.done:
			return fmt.Errorf("%d of %d sessions have ended, and the server is closed", ended, n)
		}
	}
}

// ended counts the connections that are over. The channel is closed at the next
// change.
func (s *Server) ended() (n int, news <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.recordings {
		if r.hasEnded() {
			n++
		}
	}
	return n, s.changed
}

// news tells those who wait that something changed. s.mu is held.
func (s *Server) news() {
	close(s.changed)
	s.changed = make(chan struct{})
}
