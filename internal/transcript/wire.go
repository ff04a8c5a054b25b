package transcript

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// longest bounds the lines that are read.
const longest = 64 << 20

// A wire is one connection: lines in, octets out. Writing has a goroutine of
// its own while it lasts, so that a peer which answers before it has read
// everything cannot block the game.
type wire struct {
	conn  net.Conn
	br    *bufio.Reader
	wrote chan error // nil: nothing is being written
	octet bool       // one octet at a time
	spoke bool       // the server has said its first line
}

func newWire(conn net.Conn, octet bool) *wire {
	return &wire{conn: conn, br: bufio.NewReaderSize(conn, 16<<10), octet: octet}
}

// readLine returns the next line without CR LF. noEnd: something else ended
// it, a bare LF (which is part of line) or the end of the connection.
func (w *wire) readLine() (line string, noEnd bool, err error) {
	var b strings.Builder
	for {
		frag, err := w.br.ReadSlice('\n')
		b.Write(frag)
		switch {
		case err == nil:
			text := b.String()
			if line, ok := strings.CutSuffix(text, "\r\n"); ok {
				return line, false, nil
			}
			return text, true, nil
		case errors.Is(err, bufio.ErrBufferFull) && b.Len() < longest:
		case b.Len() > 0 && closed(err):
			return b.String(), true, nil
		case closed(err):
			return "", true, io.EOF
		default:
			return "", true, err
		}
	}
}

// write begins to send octets, after what was written before.
func (w *wire) write(octets []byte) error {
	if err := w.wait(); err != nil {
		return err
	}
	w.wrote = make(chan error, 1)
	go func(conn net.Conn, wrote chan<- error) { wrote <- w.send(conn, octets) }(w.conn, w.wrote)
	return nil
}

func (w *wire) send(conn net.Conn, octets []byte) error {
	if !w.octet {
		_, err := conn.Write(octets)
		return err
	}
	for i := range octets {
		if _, err := conn.Write(octets[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when everything is sent. A peer that closed is not an error
// here: what it said before tells more.
func (w *wire) wait() error {
	if w.wrote == nil {
		return nil
	}
	err := <-w.wrote
	w.wrote = nil
	if closed(err) {
		return nil
	}
	return err
}

// starttls replaces the connection by TLS over it. Octets that the peer sent
// too early are an error (P3-TLS-06, P3-TLS-07).
func (w *wire) starttls(ctx context.Context, conn func(net.Conn) *tls.Conn) error {
	if err := w.wait(); err != nil {
		return err
	}
	if n := w.br.Buffered(); n > 0 {
		return errors.New("octets in clear after STLS")
	}
	t := conn(w.conn)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	w.conn = t
	w.br.Reset(t)
	return nil
}

// close ends the connection and waits for the writer.
func (w *wire) close() {
	w.conn.Close()
	w.wait()
}

// closed says whether err is how a connection looks that the peer has ended.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// watch makes conn fail when ctx ends. The caller calls stop.
func watch(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
}

// cause puts the context's error before the timeout that it brought about.
func cause(ctx context.Context, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}
