package pop3client

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// deaf is a connection to a server that says what it says, whatever it hears.
type deaf struct {
	net.Conn // nil: nothing else is called
	says     []byte
}

func (d *deaf) Read(p []byte) (int, error) {
	if len(d.says) == 0 {
		return 0, io.EOF
	}
	// A line at a time: more at once would be a reply too many.
	n := copy(p, d.says[:max(bytes.IndexByte(d.says, '\n')+1, 1)])
	d.says = d.says[n:]
	return n, nil
}

func (d *deaf) Write(p []byte) (int, error)      { return len(p), nil }
func (d *deaf) Close() error                     { return nil }
func (d *deaf) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (d *deaf) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (d *deaf) SetDeadline(time.Time) error      { return nil }
func (d *deaf) SetReadDeadline(time.Time) error  { return nil }
func (d *deaf) SetWriteDeadline(time.Time) error { return nil }

// FuzzClient: no server makes the client panic, hang or keep more than the
// limits allow.
func FuzzClient(f *testing.F) {
	var whole []byte
	for _, piece := range stepsReplies {
		whole = append(whole, piece...)
	}
	f.Add(whole)
	f.Add([]byte("+OK <1@2>\r\n+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\nPIPELINING\r\n.\r\n+ cj0x\r\n-ERR\r\n"))
	f.Add([]byte("+OK\r\n-ERR\r\n+OK\r\n+OK\r\n+OK 1 1\r\n+OK\r\n1 1\r\n.\r\n+OK\r\n..\r\n.\r\n"))
	f.Fuzz(func(t *testing.T, says []byte) {
		steps(t.Context(), &deaf{says: says}, nil)
		steps(t.Context(), &deaf{says: says}, &Options{LenientLineEnds: true, Limits: Limits{Line: 64, Listing: 256, Drain: 16, Window: 2, LowWater: 1, WindowOctets: 4}})
		c, err := New(t.Context(), &deaf{says: says}, nil)
		if err != nil {
			return
		}
		defer c.Close()
		c.UIDL(t.Context())
		c.Auth(t.Context(), &mechanism{name: "X", initial: []byte("x")})
		c.LangList(t.Context())
		c.Lang(t.Context(), "x")
		c.Last(t.Context())
		for m := range c.TopAll(t.Context(), []int{3, 1}, 1) {
			m.Close()
		}
		c.STLS(t.Context())
		c.Quit(t.Context())
	})
}
