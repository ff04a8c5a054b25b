package pop3server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
)

// A script is a connection in memory whose client has said all that it will ever say,
// and reads all that it hears.
type script struct {
	net.Conn // nil: whatever is not below is not used
	begin    string
	command  string // said so many times
	times    int
	end      string
	rest     []byte
}

// say fills in what the client says next.
func (s *script) say() []byte {
	const atOnce = 64
	switch {
	case s.begin != "":
		s.rest, s.begin = []byte(s.begin), ""
	case s.times > 0:
		n := min(atOnce, s.times)
		s.times -= n
		s.rest = bytes.Repeat([]byte(s.command), n)
	default:
		s.rest, s.end = []byte(s.end), ""
	}
	return s.rest
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.rest) == 0 && len(s.say()) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error) { return len(p), nil }

func (s *script) Close() error                     { return nil }
func (s *script) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv6loopback} }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv6loopback} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// A shelf has messages in memory, and takes no memory to open one.
type shelf struct {
	messages []maildrop.Message
	content  []byte
	r        bytes.Reader
}

func newShelf(messages, octets int) *shelf {
	line := strings.Repeat("x", 76) + "\n"
	s := &shelf{content: []byte("Subject: x\n\n" + strings.Repeat(line, octets/len(line)))}
	size := int64(len(s.content) + bytes.Count(s.content, []byte{'\n'}))
	for i := range messages {
		s.messages = append(s.messages, maildrop.Message{ID: pop3.UniqueID(fmt.Sprint("1795416000.M1P1Q", i)), Size: size})
	}
	return s
}

func (s *shelf) Open(context.Context, string) (maildrop.Maildrop, error) { return s, nil }
func (s *shelf) Messages() []maildrop.Message                            { return s.messages }
func (s *shelf) Update(context.Context, []pop3.UniqueID) error           { return nil }
func (s *shelf) Close() error                                            { return nil }
func (s *shelf) Read(p []byte) (int, error)                              { return s.r.Read(p) }

func (s *shelf) Content(context.Context, pop3.UniqueID) (io.ReadCloser, error) {
	s.r.Reset(s.content)
	return s, nil
}

// play is a session in which a command is said so many times.
func play(tb testing.TB, store maildrop.Store, command string, times int) {
	srv, _ := newServer(nil)
	srv.Store, srv.Auth = store, newBook()
	srv.ServeConn(&script{begin: "USER u\r\nPASS right\r\n", command: command, times: times, end: "QUIT\r\n"})
	srv.Close()
}

// The parts of a session, pipelined, without a network and without a store.
func BenchmarkCommand(b *testing.B) {
	for _, test := range []struct {
		name, command    string
		messages, octets int
	}{
		{"NOOP", "NOOP\r\n", 1, 0},
		{"STAT", "STAT\r\n", 100_000, 0},
		{"LIST 1", "LIST 1\r\n", 10, 0},
		{"LIST of 1000", "LIST\r\n", 1000, 0},
		{"UIDL of 1000", "UIDL\r\n", 1000, 0},
		{"RETR of 4 KB", "RETR 1\r\n", 1, 4 << 10},
		{"RETR of 1 MB", "RETR 1\r\n", 1, 1 << 20},
		{"TOP 0 of 4 KB", "TOP 1 0\r\n", 1, 4 << 10},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(test.octets))
			play(b, newShelf(test.messages, test.octets), test.command, b.N)
		})
	}
}

// A login session without a network and without a store.
func BenchmarkLogin(b *testing.B) {
	srv, _ := newServer(nil)
	srv.Store, srv.Auth = newShelf(3, 0), newBook()
	b.ReportAllocs()
	for b.Loop() {
		srv.ServeConn(&script{begin: "USER u\r\nPASS right\r\nSTAT\r\nQUIT\r\n"})
	}
	srv.Close()
}
