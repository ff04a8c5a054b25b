package main

import (
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxLate is how much of the log waits, in octets, for somebody who reads.
	maxLate = 1 << 20
	// flushGrace is how long the end of the program waits for that.
	flushGrace = 2 * time.Second
	// gather is how long lines wait for others after some were written, so that a busy
	// server writes many at once. The first one after a rest is written as it comes.
	gather = 10 * time.Millisecond
	// maxSpare is the largest buffer that is kept for the next lines, in octets.
	maxSpare = 64 << 10
)

// A lateWriter writes in a goroutine of its own, so that nobody who logs ever
// waits for whoever reads the log. When too much is waiting it drops what comes,
// and says how much that was as soon as somebody reads again.
type lateWriter struct {
	to   io.Writer
	news chan struct{} // holds a token while there may be something to write
	end  chan struct{} // closed by Close
	over chan struct{} // closed when all is written after Close

	mu      sync.Mutex // guards what follows
	waiting []byte
	spare   []byte // a buffer without use
	dropped int    // calls of Write
	closed  bool
}

// newLateWriter begins. journal is as in newLog, for its own lines.
func newLateWriter(to io.Writer, journal bool) *lateWriter {
	w := &lateWriter{to: to, news: make(chan struct{}, 1), end: make(chan struct{}), over: make(chan struct{})}
	go w.run(newLog(to, journal))
	return w
}

// Write takes p whole, or drops it. It never fails.
func (w *lateWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.waiting)+len(p) > maxLate {
		w.dropped++
		return len(p), nil
	}
	w.waiting = append(w.waiting, p...)
	w.wake()
	return len(p), nil
}

func (w *lateWriter) wake() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *lateWriter) run(own *slog.Logger) {
	defer close(w.over)
	for range w.news {
		for {
			waiting, dropped, closed := w.take()
			if len(waiting) == 0 && dropped == 0 {
				if closed {
					return
				}
				break
			}
			w.to.Write(waiting) // to whom could an error be told?
			if dropped > 0 {
				own.Warn("log lines dropped", "count", dropped, "hint", "whoever reads the log is too slow, or has stopped")
			}
			w.giveBack(waiting)
			w.rest()
		}
	}
}

// rest lets lines gather, until the end.
func (w *lateWriter) rest() {
	enough := time.NewTimer(gather)
	defer enough.Stop()
	select {
	case <-enough.C:
	case <-w.end:
	}
}

func (w *lateWriter) take() (waiting []byte, dropped int, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting, dropped = w.waiting, w.dropped
	w.waiting, w.spare, w.dropped = w.spare, nil, 0
	return waiting, dropped, w.closed
}

func (w *lateWriter) giveBack(buffer []byte) {
	if cap(buffer) > maxSpare {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spare = buffer[:0]
}

// Close writes what is waiting, as far as somebody reads it in time.
func (w *lateWriter) Close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.end)
	}
	w.wake()
	w.mu.Unlock()
	select {
	case <-w.over:
	case <-time.After(flushGrace):
	}
	return nil
}
