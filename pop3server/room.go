package pop3server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"reflect"

	"postfach/pop3"
)

// What a connection with TLS may keep of what its client says, in octets (promise
// 15).
const (
	// roomShaking is for package tls in the handshake: a chain of client certificates
	// of 10 KiB, and the record that it comes in.
	roomShaking = 36 << 10
	// helloTimes is how often package tls has a client's first words then: as they
	// came, in pieces, and for what is signed. Afterwards it may have them once, for
	// as long as the connection.
	helloTimes = 5
	// roomEarly is for package tls and a line that has not ended, until the login: a
	// record and a response of full length.
	roomEarly = 40 << 10
	// roomOpen is for package tls, after it.
	roomOpen = 64 << 10
	// longestHost is how long a name in the DNS can be. What a client calls us stays,
	// too.
	longestHost = 255
)

// tlsBuffer holds what has come and is not yet asked for: a command is one record
// and one read.
const tlsBuffer = 512

var (
	errRoom = errors.New("TLS takes too much room")
	errHost = errors.New("a name that is none in the DNS")
)

// A tlsInput is the connection below TLS. It ends when package tls has been made to
// keep too much: its buffers double when something does not fit, never shrink, and
// hold messages of up to 256 KiB until they are whole.
//
// It never gives more than one record: the beginning of the next one would make a
// buffer double.
type tlsInput struct {
	net.Conn
	r        *bufio.Reader
	header   []byte // of the record that is being read
	left     int    // octets of its body
	hello    int    // octets of bodies before the first answer
	answered bool
	shaken   bool   // the handshake is over
	held     []byte // records that are to go out together; nil: each goes at once
	torn     bool   // a record did not go out whole
	// room tells what there would be with another record, and what may be.
	room func(in *tlsInput, record int) (octets, allowed int)
}

func newTLSInput(raw net.Conn, room func(in *tlsInput, record int) (octets, allowed int)) *tlsInput {
	return &tlsInput{Conn: raw, r: bufio.NewReaderSize(raw, tlsBuffer), header: make([]byte, 0, tlsHeader), room: room}
}

// tlsHeader is how long a record's header is; its last two octets are the length
// of the body (RFC 8446 section 5.1).
const tlsHeader = 5

func (c *tlsInput) Read(p []byte) (int, error) {
	if err := c.mayKeep(0); err != nil {
		return 0, err
	}
	want := c.left
	if want == 0 {
		want = tlsHeader - len(c.header)
	}
	n, err := c.r.Read(p[:min(len(p), want)])
	if c.left > 0 {
		c.left -= n
		if !c.answered {
			c.hello += n
		}
		return n, err
	}
	if c.header = append(c.header, p[:n]...); len(c.header) < tlsHeader {
		return n, err
	}
	c.left = int(binary.BigEndian.Uint16(c.header[3:]))
	c.header = c.header[:0]
	if err := c.mayKeep(tlsHeader + c.left + bytes.MinRead); err != nil {
		return 0, err // before there is room for it
	}
	return n, err
}

// mayKeep is nil if there may be room for another record, of so many octets; for 0, if
// what there is already may be.
func (c *tlsInput) mayKeep(record int) error {
	if octets, allowed := c.room(c, record); octets > allowed {
		c.Close() // at once: a last word would wait for somebody who may not read
		return errRoom
	}
	return nil
}

func (c *tlsInput) Write(p []byte) (int, error) {
	c.answered = true
	switch {
	case c.torn:
		return 0, errTorn
	case c.held != nil:
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// room is what the session would keep with another record of so many octets, and
// what it may.
func (s *session) room(in *tlsInput, record int) (octets, allowed int) {
	records, messages := roomOf(s.tls)
	if record > records {
		records = max(record, 2*records)
	}
	octets = records + messages
	switch {
	case !in.shaken:
		return octets + helloTimes*in.hello, roomShaking
	case s.state == pop3.Authorization:
		return octets + in.hello + s.r.Held(), roomEarly
	}
	return octets, roomOpen
}

// roomOf is how large the buffers of a connection are, for a record and for
// messages of a handshake. Package tls tells that nobody, and it cannot be counted
// from below: TLS 1.3 encrypts where a message ends. Each record would have to be
// taken for more of the same message, for which the buffer doubles, and a chain of
// certificates of 10 KiB would be too much. So this reads fields that are not
// exported. Where a later version of Go has others a test fails, and the answer is 0.
func roomOf(c *tls.Conn) (records, messages int) {
	size := func(name string) int {
		buffer := reflect.ValueOf(c).Elem().FieldByName(name)
		if !buffer.IsValid() || buffer.Type() != reflect.TypeFor[bytes.Buffer]() {
			return 0
		}
		return buffer.FieldByName("buf").Cap()
	}
	return size("rawInput"), size("hand")
}
