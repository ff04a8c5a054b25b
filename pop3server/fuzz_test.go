package pop3server_test

import (
	"bufio"
	"bytes"
	"net"
	"regexp"
	"testing"
	"time"
)

var firstLine = regexp.MustCompile(`^(\+OK|-ERR) [^\r\n\x00-\x1f]*\r\n$`)

// A recording is a connection whose peer has said everything before and only
// listens.
type recording struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func (r *recording) Read(p []byte) (int, error)       { return r.in.Read(p) }
func (r *recording) Write(p []byte) (int, error)      { return r.out.Write(p) }
func (r *recording) Close() error                     { return nil }
func (r *recording) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (r *recording) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (r *recording) SetDeadline(time.Time) error      { return nil }
func (r *recording) SetReadDeadline(time.Time) error  { return nil }
func (r *recording) SetWriteDeadline(time.Time) error { return nil }

// FuzzSession sends any octets in each state. Whatever they are, each reply is
// one, nothing is removed without a whole QUIT line, and the session ends.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\n", "DELE 1\r\nRSET\r\nQUIT\r\n", "TOP 1 0\r\nTOP 1 99\n", "AUTH PLAIN\r\n*\r\n",
		"USER u\r\nPASS p w\r\nDELE 1\r\n", "CAPA\r\nLANG\r\nLANG de\r\nUTF8\r\n", "DELE 1\r\nQUIT", "\r\n \r\n\x00\r\nRETR 99999999999\r\n",
	} {
		f.Add(true, []byte(seed))
		f.Add(false, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, loggedIn bool, octets []byte) {
		d := three()
		srv, log := newServer(d)
		srv.Limits.FailureDelay = time.Nanosecond
		input := octets
		if loggedIn {
			input = append([]byte("USER u\r\nPASS p w\r\n"), octets...)
		}
		conn := &recording{in: bytes.NewReader(input)}
		srv.ServeConn(conn)
		got := conn.out.Bytes()
		if line, err := bufio.NewReader(bytes.NewReader(got)).ReadBytes('\n'); err == nil && !firstLine.Match(line) {
			t.Errorf("first line %q", line)
		}
		if len(d.messages) < 3 && !bytes.Contains(bytes.ToUpper(input), []byte("QUIT")) {
			t.Errorf("%d messages left after %q", len(d.messages), input)
		}
		if d.locked || bytes.Contains([]byte(log.String()), []byte("panic")) {
			t.Errorf("locked %v, log:\n%s", d.locked, log)
		}
	})
}
