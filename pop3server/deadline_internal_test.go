package pop3server

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// timedPipe is a timedConn, and its other end.
func timedPipe(first time.Time) (c *timedConn, other net.Conn) {
	ours, other := net.Pipe()
	both := deadline{first, first}
	ours.SetDeadline(first)
	return &timedConn{Conn: ours, read: both, write: both}, other
}

// AMB-30, P3-ST-05: a deadline that was moved is as exact as one that was not, in both
// directions, for reads and for writes.
func TestMovedDeadlinesAreExact(t *testing.T) {
	const second = time.Second
	for name, moves := range map[string][]time.Duration{
		"not":                  {},
		"away":                 {5 * second},
		"away, often":          {2 * second, 3 * second, 7 * second},
		"nearer":               {second / 2},
		"away, nearer":         {5 * second, second / 2},
		"away, a bit nearer":   {5 * second, 3 * second},
		"nearer, away":         {second / 2, 4 * second},
		"nearer, away, nearer": {second / 2, 4 * second, second},
		"into the past":        {5 * second, -second},
		"out of the past":      {-second, 5 * second},
	} {
		for _, way := range []struct {
			name string
			move func(*timedConn, time.Time) error
			do   func(*timedConn) (int, error)
		}{
			{"read", (*timedConn).SetReadDeadline, func(c *timedConn) (int, error) { return c.Read(make([]byte, 1)) }},
			{"write", (*timedConn).SetWriteDeadline, func(c *timedConn) (int, error) { return c.Write(make([]byte, 1)) }},
			{"both", (*timedConn).SetDeadline, func(c *timedConn) (int, error) { return c.Read(make([]byte, 1)) }},
		} {
			t.Run(name+", "+way.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					begun := time.Now()
					want := second
					c, other := timedPipe(begun.Add(want))
					defer other.Close()
					for _, want = range moves {
						if err := way.move(c, begun.Add(want)); err != nil {
							t.Fatal(err)
						}
					}
					n, err := way.do(c)
					if after := time.Since(begun); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || after != max(want, 0) {
						t.Errorf("%d, %v after %v, want %v", n, err, after, want)
					}
				})
			})
		}
	}
}

// What was moved while somebody waits holds, too: a shutdown ends the wait.
func TestDeadlineMovedWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c, other := timedPipe(begun.Add(2 * time.Second))
		defer other.Close()
		c.SetReadDeadline(begun.Add(time.Minute))
		time.AfterFunc(30*time.Second, func() { c.SetReadDeadline(time.Unix(1, 0)) })
		if _, err := c.Read(make([]byte, 1)); !isTimeout(err) || time.Since(begun) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// No deadline at all is one that never comes.
func TestDeadlineTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, other := timedPipe(time.Now().Add(time.Second))
		c.SetDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { other.Write([]byte("x")) })
		if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// A write that a deadline has cut goes on where it was: nothing is sent twice, and nothing
// is missing.
func TestWriteGoesOnAfterAnEarlierDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, other := timedPipe(time.Now().Add(2 * time.Second))
		c.SetWriteDeadline(time.Now().Add(time.Minute))
		got := make(chan string)
		go func() {
			var all []byte
			for b := make([]byte, 3); len(all) < 10; {
				time.Sleep(time.Second)
				n, err := other.Read(b)
				if err != nil {
					break
				}
				all = append(all, b[:n]...)
			}
			got <- string(all)
		}()
		n, err := c.Write([]byte("0123456789"))
		if all := <-got; n != 10 || err != nil || all != "0123456789" {
			t.Errorf("%d, %v, %q", n, err, all)
		}
		other.Close()
		if _, err := c.Write([]byte("x")); err == nil || isTimeout(err) {
			t.Errorf("closed: %v", err)
		}
	})
}

// The same over TCP, where package net has the timers.
func TestMovedDeadlineOfTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	other, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	c := newTimedConn(accepted.(*net.TCPConn), begun.Add(10*time.Millisecond))
	defer c.Close()
	const noted = 50 * time.Millisecond
	c.SetDeadline(begun.Add(noted))
	if _, err := c.Read(make([]byte, 1)); !isTimeout(err) || time.Since(begun) < noted {
		t.Errorf("read: %v after %v", err, time.Since(begun))
	}
	if n, err := c.Write(make([]byte, 64<<20)); !isTimeout(err) || n == 64<<20 {
		t.Errorf("write: %d, %v", n, err)
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	other.Write([]byte("x"))
	if n, err := c.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Error(err)
	}
}
