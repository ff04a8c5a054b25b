package pop3server

import (
	"context"
	"errors"
	"syscall"
	"time"

	"postfach/maildrop"
)

// How long the accept loop rests when it cannot accept.
const (
	leastPause = 5 * time.Millisecond
	mostPause  = time.Second
)

// An acceptTrouble is what an accept loop knows of its errors.
type acceptTrouble struct {
	pause  time.Duration
	logged time.Time
	unsaid int // errors since then
}

// notAccepted does what it can about an error of Accept, and rests: too few
// descriptors, mostly, and they come back. A connection that has not logged in
// gives its own.
func (s *Server) notAccepted(t *acceptTrouble, err error) {
	evicted := noDescriptors(err) && s.guard.relieve()
	t.pause = min(max(2*t.pause, leastPause), mostPause)
	t.unsaid++
	if due(&t.logged) {
		s.logger().Error("connection not accepted", "err", err, "times", t.unsaid, "evicted", evicted)
		t.unsaid = 0
	}
	rest := time.NewTimer(t.pause)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-s.accepting.Done():
	}
}

func noDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// open opens the maildrop of somebody who has logged in. Without descriptors for
// it, some who have not give theirs.
func (s *Server) open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	for range perOpen {
		drop, err := s.Store.Open(ctx, user)
		if err == nil || !noDescriptors(err) || !s.guard.relieve() {
			return drop, err
		}
	}
	return s.Store.Open(ctx, user)
}

// perOpen is how many connections a login may cost others: a lock, a folder and a
// file are three descriptors.
const perOpen = 3
