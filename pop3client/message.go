package pop3client

import (
	"errors"
	"fmt"
	"io"

	"postfach/internal/popwire"
)

// A Message is a message, or a part of one, that is being received: octets as
// the server stores them, with CRLF, byte-stuffing removed. io.EOF comes only
// behind the terminator. A connection that ends before it is an error that is
// io.ErrUnexpectedEOF: what was read so far is no message (P3-MLT-09).
type Message struct {
	Number int
	// Size is what LIST announced, in octets; -1: List was not called. A hint
	// (P3-MSG-10).
	Size int64

	c       *Client
	body    popwire.BodyReader
	release func() // nil: the connection is not this message's alone
	err     error  // io.EOF, or why there is no more
}

// open makes the message that comes next.
func (c *Client) open(n int, release func()) *Message {
	return &Message{
		Number: n, Size: c.announced(n),
		c: c, body: *popwire.NewBodyReader(c.r, c.bodyLine), release: release,
	}
}

// Read implements io.Reader. It fills p with what has come.
func (m *Message) Read(p []byte) (n int, err error) {
	if m.err != nil {
		return 0, m.err
	}
	m.c.t.eachRead = true
	n, err = m.read(p)
	m.c.t.eachRead = false
	return n, err
}

func (m *Message) read(p []byte) (n int, err error) {
	for n < len(p) && (n == 0 || m.c.r.LineBuffered()) {
		k, err := m.body.Read(p[n:])
		n += k
		if err != nil {
			m.end(err)
			break
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, m.err
}

// end notes how the message ended and gives the connection back.
func (m *Message) end(err error) {
	m.err = io.EOF
	if !errors.Is(err, io.EOF) {
		m.err = fmt.Errorf("message %d: %w", m.Number, m.c.fail(err))
	}
	if m.release != nil {
		m.c.busy = false
		m.c.end(m.release)
	}
}

// errAbandoned is why a connection is closed whose message nobody wanted.
var errAbandoned = errors.New("a message was not read to its end")

// Close lets go of the message. What is left of it is read and thrown away, up
// to Limits.Drain; more ends the connection instead. After io.EOF it does
// nothing.
func (m *Message) Close() error {
	m.discard(m.c.limits.Drain)
	return nil
}

// discard reads what is left, at most limit octets and for no longer than the
// time limit, and returns how much of the limit is left. Below 0 the
// connection is closed.
func (m *Message) discard(limit int64) (left int64) {
	left = limit
	if m.err != nil {
		return left
	}
	m.c.t.expect()
	var scratch [4096]byte
	for m.err == nil {
		n, _ := m.read(scratch[:])
		if left -= int64(n); left < 0 && m.err == nil {
			m.end(errAbandoned)
		}
	}
	return left
}
