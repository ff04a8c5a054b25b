package pop3client

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A cannedConn is a server that has prepared everything: some pieces, one for
// each read, and then the same reply for ever. It hears nothing.
type cannedConn struct {
	pieces []string
	reply  string
	rest   string
}

func (c *cannedConn) Read(p []byte) (n int, err error) {
	if len(c.pieces) > 0 {
		n = copy(p, c.pieces[0])
		c.pieces = c.pieces[1:]
		return n, nil
	}
	for n < len(p) {
		if c.rest == "" {
			c.rest = c.reply
		}
		k := copy(p[n:], c.rest)
		n += k
		c.rest = c.rest[k:]
	}
	return n, nil
}

func (*cannedConn) Write(p []byte) (int, error)      { return len(p), nil }
func (*cannedConn) Close() error                     { return nil }
func (*cannedConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*cannedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*cannedConn) SetDeadline(time.Time) error      { return nil }
func (*cannedConn) SetReadDeadline(time.Time) error  { return nil }
func (*cannedConn) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkRetrAll receives messages of several sizes, pipelined, from a server
// that costs nothing.
func BenchmarkRetrAll(b *testing.B) {
	const line = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 01234\r\n"
	for _, size := range []int{500, 4 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			message := strings.Repeat(line, size/len(line)+1)
			conn := &cannedConn{
				pieces: []string{"+OK\r\n", "+OK\r\nPIPELINING\r\n.\r\n"},
				reply:  "+OK\r\n" + message + ".\r\n",
			}
			c, err := New(b.Context(), conn, nil)
			if err != nil {
				b.Fatal(err)
			}
			numbers := make([]int, b.N)
			for i := range numbers {
				numbers[i] = i + 1
			}
			block := make([]byte, 64<<10)
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			b.ResetTimer()
			for m, err := range c.RetrAll(b.Context(), numbers) {
				for err == nil {
					_, err = m.Read(block)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}
