package pop3server

import (
	"os"
	"sync"
)

// A spare is the goroutine of a session that is over, which waits for another one. There is
// at most one for each call of Serve.
//
// It waits in Go's poller, as those do that wait for a client, to be called through a pipe.
// To begin a goroutine, or to wake one through a channel, wakes a thread where one is idle,
// and mostly there is nothing left for it to do: the first one goes on with the session when
// it has accepted the connection. A poll of an idle server takes nine tenths of what it took.
type spare struct {
	made       bool
	bell, rope *os.File // the ends of the pipe; nil: there is none

	mu   sync.Mutex // guards what follows
	here bool       // there is one that waits, or that has been called and has not come yet
	next *session   // what it has been called for
	over bool       // nobody is to wait any more
}

// serve is a goroutine's work: a session, and others for as long as it is called.
func (s *spare) serve(first *session) {
	for next := first; next != nil; next = s.wait() {
		next.main()
	}
}

// call lets the one that waits, if any, serve a session. The accept loop calls it, before
// any goroutine that may wait begins.
func (s *spare) call(next *session) bool {
	if !s.made {
		s.made = true
		if bell, rope, err := os.Pipe(); err == nil {
			s.bell, s.rope = bell, rope
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.here || s.next != nil {
		return false
	}
	if _, err := s.rope.Write([]byte{0}); err != nil {
		return false
	}
	s.next = next
	return true
}

// wait is for a goroutine whose session is over: it returns the next one. nil: it is not
// needed.
func (s *spare) wait() *session {
	if s.bell == nil || !s.first() {
		return nil
	}
	_, err := s.bell.Read(make([]byte, 1))
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.next
	s.here, s.next, s.over = false, nil, err != nil
	return next
}

// first reports whether nobody waits yet, so that the caller may.
func (s *spare) first() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.here || s.over {
		return false
	}
	s.here = true
	return true
}

// end is for an accept loop that is over. A session that has been called for is served.
func (s *spare) end() {
	if s.rope != nil {
		s.rope.Close()
		s.bell.Close()
	}
}
