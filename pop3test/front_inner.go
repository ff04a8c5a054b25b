package pop3test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"postfach/pop3check"
)

// A waitingConn tells when its reader waits.
type waitingConn struct {
	net.Conn
	waits chan struct{}
}

func (c *waitingConn) Read(p []byte) (int, error) {
	select {
	case c.waits <- struct{}{}:
	default:
	}
	n, err := c.Conn.Read(p)
	select {
	case <-c.waits:
	default:
	}
	return n, err
}

// hangUp leaves the real server: without close_notify, for which it might not
// be listening.
func (f *front) hangUp() {
	if tc, ok := f.inner.(*tls.Conn); ok {
		tc.NetConn().Close()
		return
	}
	f.inner.Close()
}

// dial begins the session at the real server.
func (f *front) dial(implicitTLS bool) bool {
	ours, pipe := net.Pipe()
	f.waits = make(chan struct{}, 1)
	theirs := &waitingConn{Conn: pipe, waits: f.waits}
	f.s.fronts.Go(func() {
		if implicitTLS {
			f.s.inner.ServeConnTLS(theirs)
			return
		}
		f.s.inner.ServeConn(theirs)
	})
	f.inner = ours
	if implicitTLS {
		return f.innerTLS()
	}
	f.ir = bufio.NewReader(f.inner)
	return true
}

// innerTLS makes TLS with the real server, so that it knows what its client
// did.
func (f *front) innerTLS() bool {
	// The other end is in this process.
	tc := tls.Client(f.inner, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	tc.SetDeadline(time.Now().Add(patience))
	if tc.Handshake() != nil {
		f.inner.Close()
		return false
	}
	f.inner, f.ir = tc, bufio.NewReader(tc)
	return true
}

// innerGone reports whether the real server closed the connection behind its
// reply. A server that waits for the next command did not.
func (f *front) innerGone() bool {
	if f.ir.Buffered() > 0 {
		return false
	}
	f.inner.SetReadDeadline(time.Now().Add(patience))
	var waiting sync.WaitGroup
	known := make(chan struct{})
	waiting.Go(func() {
		select {
		case <-f.waits:
			f.inner.SetReadDeadline(time.Unix(1, 0)) // ends Peek
		case <-known:
		}
	})
	_, err := f.ir.Peek(1)
	close(known)
	waiting.Wait()
	f.inner.SetReadDeadline(time.Time{})
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.ErrUnexpectedEOF)
}

// forward passes a line on, with what is already there behind STLS, which the
// real server must see in one piece.
func (f *front) forward(line string) string {
	word, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	if n := f.br.Buffered(); n > 0 && strings.EqualFold(word, "STLS") && !f.sess.TLS && !f.sess.KeepClear {
		early, _ := f.br.Peek(n)
		if early[0] != clientHello {
			line += string(early)
			if unheard := string(early[f.overheard:]); unheard != "" {
				f.rec.add(pop3check.Event{Kind: pop3check.ClientSaid, Octets: unheard})
			}
			f.br.Discard(n)
			f.overheard = 0
		}
	}
	return f.ask(line)
}

// ask sends octets to the real server and reads its whole reply.
func (f *front) ask(line string) string {
	f.inner.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(f.inner, line); err != nil {
		return ""
	}
	if !strings.HasSuffix(line, "\n") {
		return ""
	}
	return readReply(f.ir, line)
}
