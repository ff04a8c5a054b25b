package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A Delay is a proxy that makes a network long and leaves it wide: each octet comes half
// a round trip later, however many are on the way. Connecting takes a round trip, too, so
// that the greeting comes after two.
type Delay struct {
	To  string // the server's address
	RTT time.Duration

	all sync.WaitGroup
}

// delayRoom is how many octets may be on the way in each direction. It holds 2 GB a
// second with a round trip of 100 ms.
const delayRoom = 100 << 20

// Serve passes connections on until the listener is closed or ctx ends, and returns when
// all have ended.
func (d *Delay) Serve(ctx context.Context, l net.Listener) error {
	defer d.all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		near, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		d.all.Go(func() {
			defer near.Close()
			d.pass(ctx, near)
		})
	}
}

// pass passes one connection on. The client believes that it is connected a round trip
// too early; so nothing that it sends arrives before one and a half.
func (d *Delay) pass(ctx context.Context, near net.Conn) {
	stopNear := context.AfterFunc(ctx, func() { near.Close() })
	defer stopNear()
	opened := time.Now().Add(d.RTT + d.RTT/2)
	up := d.read(near, opened)
	far, err := d.dial(ctx, opened)
	if err != nil {
		near.Close()
		drain(up)
		return
	}
	defer far.Close()
	stopFar := context.AfterFunc(ctx, func() { far.Close() })
	defer stopFar()
	down := d.read(far, opened)
	var both sync.WaitGroup
	both.Go(func() { write(ctx, far, near, up) })
	both.Go(func() { write(ctx, near, far, down) })
	both.Wait()
}

// dial connects to the server at that time.
func (d *Delay) dial(ctx context.Context, opened time.Time) (net.Conn, error) {
	if !wait(ctx, opened) {
		return nil, ctx.Err()
	}
	return new(net.Dialer).DialContext(ctx, "tcp", d.To)
}

// wait waits until then, and reports whether it was not interrupted.
func wait(ctx context.Context, then time.Time) bool {
	left := time.Until(then)
	if left <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A piece is octets that are on the way, or the end of all: none.
type piece struct {
	octets []byte
	due    time.Time
}

const pieceSize = 64 << 10

// read reads what one end sends. The channel is closed behind the end, or where the
// connection broke: then the last piece is not the end.
func (d *Delay) read(from net.Conn, notBefore time.Time) <-chan piece {
	onTheWay := make(chan piece, delayRoom/pieceSize)
	go func() {
		defer close(onTheWay)
		for {
			buf := pieces.Get().(*[pieceSize]byte)
			n, err := from.Read(buf[:])
			due := time.Now().Add(d.RTT / 2)
			if due.Before(notBefore) {
				due = notBefore
			}
			if n > 0 {
				onTheWay <- piece{buf[:n], due}
			} else {
				pieces.Put(buf)
			}
			if errors.Is(err, io.EOF) {
				onTheWay <- piece{due: due}
			}
			if err != nil {
				return
			}
		}
	}()
	return onTheWay
}

// write writes pieces when they are due, and then the end. A connection that broke is
// cut off on both ends.
func write(ctx context.Context, to, from net.Conn, onTheWay <-chan piece) {
	for p := range onTheWay {
		if !wait(ctx, p.due) {
			break
		}
		if len(p.octets) == 0 {
			closeWrite(to)
			return
		}
		_, err := to.Write(p.octets)
		pieces.Put((*[pieceSize]byte)(p.octets[:pieceSize]))
		if err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	drain(onTheWay)
}

// drain lets the reader go to its end.
func drain(onTheWay <-chan piece) {
	for range onTheWay {
	}
}

// pieces are buffers of pieces.
var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// closeWrite tells the peer that nothing more comes.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		return
	}
	conn.Close()
}
