package pop3server

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// How many octets a client may send inside TLS that become no octet of POP3. TLS by
// itself keeps up to 64 KiB of a message that has not ended, and buffers double
// (promise 15).
const (
	quietTLS  = 20 << 10 // a handshake with a chain of certificates, or one whole record
	quietOpen = 1 << 10  // whole records after the handshake: new keys, alerts
)

// tlsBuffer holds what has come and is not yet asked for: a command is one record
// and one read.
const tlsBuffer = 512

var errQuiet = errors.New("a TLS message too long")

// A tlsInput is the connection below TLS. It counts what has been read since the
// last octet that came out of TLS. It never gives more than one record: package
// tls makes room for that, and twice the room for the beginning of the next one.
type tlsInput struct {
	net.Conn
	r      *bufio.Reader
	header []byte // of the record that is being read
	left   int    // octets of its body
	quiet  int
	open   bool // the handshake is over
}

func newTLSInput(raw net.Conn) *tlsInput {
	return &tlsInput{Conn: raw, r: bufio.NewReaderSize(raw, tlsBuffer), header: make([]byte, 0, tlsHeader)}
}

// tlsHeader is how long a record's header is; its last two octets are the length
// of the body (RFC 8446 section 5.1).
const tlsHeader = 5

func (c *tlsInput) Read(p []byte) (int, error) {
	if c.quiet > quietTLS {
		return 0, errQuiet
	}
	want := c.left
	if want == 0 {
		want = tlsHeader - len(c.header)
		if want == tlsHeader && c.open && c.quiet > quietOpen {
			return 0, errQuiet // not held until more comes
		}
	}
	n, err := c.r.Read(p[:min(len(p), want)])
	c.quiet += n
	if c.left > 0 {
		c.left -= n
		return n, err
	}
	if c.header = append(c.header, p[:n]...); len(c.header) == tlsHeader {
		c.left = int(binary.BigEndian.Uint16(c.header[3:]))
		c.header = c.header[:0]
	}
	return n, err
}

// A tlsReader is what comes out of TLS.
type tlsReader struct {
	tls *tls.Conn
	in  *tlsInput
}

func (r *tlsReader) Read(p []byte) (int, error) {
	if !r.in.open {
		r.in.open, r.in.quiet = true, 0
	}
	n, err := r.tls.Read(p)
	if n > 0 {
		r.in.quiet = 0
	}
	return n, err
}

// input is where the client's octets come from.
func (s *session) input() io.Reader {
	if s.tls == nil {
		return s.raw
	}
	return &tlsReader{s.tls, s.wire.Conn.(*tlsInput)}
}
