package pop3client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// A transport is the connection below TLS, with time limits: no call on it can
// wait for ever.
type transport struct {
	net.Conn
	raw     net.Conn // what abort closes; never TLS, whose Close writes
	timeout atomic.Int64
	// eachRead gives every Read the whole time limit: a message may take as
	// long as it moves. Else the limit holds for all reads since expect, so
	// that a line cannot drip. Only the goroutine that reads uses it.
	eachRead bool
	// patient: writes come from another goroutine and may wait for as long as
	// nobody reads here: then it is not the server that is slow.
	patient atomic.Bool
	// reads counts begins and ends of reads: odd while one is going on.
	reads atomic.Uint64
	// wait, if not nil, is called before each read for replies. Only the
	// goroutine that reads uses it.
	wait  func()
	cause atomic.Pointer[error] // why it was aborted
}

func newTransport(conn net.Conn, timeout time.Duration) *transport {
	t := &transport{Conn: conn, raw: conn}
	if tc, ok := conn.(*tls.Conn); ok {
		t.raw = tc.NetConn()
	}
	t.timeout.Store(int64(timeout))
	return t
}

func (t *transport) deadline() time.Time {
	return time.Now().Add(time.Duration(t.timeout.Load()))
}

// expect starts the time for what is to be read now.
func (t *transport) expect() { t.SetReadDeadline(t.deadline()) }

func (t *transport) Read(p []byte) (int, error) {
	if t.eachRead {
		t.expect()
	}
	return t.Conn.Read(p)
}

// Write gives up when nothing moves for the time limit.
func (t *transport) Write(p []byte) (n int, err error) {
	for {
		before := t.reads.Load()
		t.SetWriteDeadline(t.deadline())
		k, err := t.Conn.Write(p[n:])
		n += k
		if err == nil {
			// TLS may write while a message is read, long after.
			t.SetWriteDeadline(time.Time{})
			return n, nil
		}
		waited := before%2 == 1 && t.reads.Load() == before
		if !errors.Is(err, os.ErrDeadlineExceeded) || !t.patient.Load() || waited {
			return n, err
		}
		if _, isTLS := t.Conn.(*tls.Conn); isTLS {
			return n, err // after a time-out it never writes again
		}
	}
}

// hurry leaves little time for what is still to be written: the connection is
// being closed.
func (t *transport) hurry() {
	t.patient.Store(false)
	t.timeout.Store(int64(time.Second))
}

// abort closes the connection at once. Reads and writes that wait return, and
// the first cause is what their callers report.
func (t *transport) abort(cause error) {
	t.cause.CompareAndSwap(nil, &cause)
	t.raw.Close()
}

// watch aborts the connection when ctx is cancelled, until release is called.
// After release nothing of it is left.
func (t *transport) watch(ctx context.Context) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	aborted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		t.abort(context.Cause(ctx))
		close(aborted)
	})
	return func() {
		if !stop() {
			<-aborted
		}
	}
}

// watched tells the transport when somebody waits for octets.
type watched struct {
	conn net.Conn
	t    *transport
}

func (w *watched) Read(p []byte) (int, error) {
	if w.t.wait != nil {
		w.t.wait()
	}
	w.t.reads.Add(1)
	defer w.t.reads.Add(1)
	return w.conn.Read(p)
}

// loopback reports whether what conn carries stays on this machine.
func loopback(conn net.Conn) bool {
	return localAddr(conn.LocalAddr()) && localAddr(conn.RemoteAddr())
}

func localAddr(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return a != nil && a.Network() == "pipe" // net.Pipe: in this process
}
