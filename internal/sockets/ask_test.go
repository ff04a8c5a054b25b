package sockets

import (
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A scarce listener has too few descriptors, until it has enough.
type scarce struct {
	Listener
	mu     sync.Mutex // guards what follows
	enough bool
}

var errTooFew = errors.New("too few descriptors")

func (l *scarce) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.enough {
		return nil, errTooFew
	}
	return nil, nil
}

func (l *scarce) Close() error { return nil }

func (l *scarce) SetDeadline(time.Time) error { return nil }

// Promise 17: an error of Accept is what is, not what was while the server rested:
// connections are evicted because of it.
func TestErrorsAreNotOutOfDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &scarce{}
		s := New(l)
		defer s.Close()
		turn := s.Turn(nil)
		if _, err := turn.Accept(); err != errTooFew {
			t.Fatal(err)
		}
		synctest.Wait() // the server rests
		l.mu.Lock()
		l.enough = true
		l.mu.Unlock()
		if _, err := turn.Accept(); err != nil {
			t.Errorf("after the shortage: %v", err)
		}
	})
}

// Whichever of two turns gets a connection, the other one gets the next, also when
// the first asks for no more.
func TestTurnThatEndsLeavesNobodyWaiting(t *testing.T) {
	for range 50 {
		s := open(t)
		before, after := s.Turn(nil), s.Turn(nil)
		var turns sync.WaitGroup
		turns.Go(func() {
			if conn, err := before.Accept(); err == nil {
				conn.Close()
			}
		})
		came := make(chan struct{}, 2)
		turns.Go(func() {
			for {
				conn, err := after.Accept()
				if err != nil {
					return
				}
				conn.Close()
				came <- struct{}{}
			}
		})
		for range 2 { // one of them is for the turn that began later
			conn, err := net.Dial("tcp", s.Addr().String())
			must(t, err)
			defer conn.Close()
		}
		<-came
		must(t, before.Close())
		must(t, s.Close())
		turns.Wait()
	}
}

// A turn that waits for a connection ends at once, and the one that waits behind it
// accepts, whoever of them came first.
func TestTurnsEndWhileTheyWait(t *testing.T) {
	s := open(t)
	before := s.Turn(nil)
	for range 50 {
		after := s.Turn(nil)
		came, ended := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := before.Accept()
			ended <- err
		}()
		go func() {
			conn, err := after.Accept()
			if err == nil {
				conn.Close()
			}
			came <- err
		}()
		must(t, before.Close())
		if err := <-ended; err != net.ErrClosed {
			t.Fatalf("the turn that is over: %v", err)
		}
		conn, err := net.Dial("tcp", s.Addr().String())
		must(t, err)
		if err := <-came; err != nil {
			t.Fatalf("the turn after it: %v", err)
		}
		conn.Close()
		before = after
	}
}
