package pop3server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A drop is a maildrop whose every part a test can break.
type drop struct {
	mu       sync.Mutex
	locked   bool
	messages []maildrop.Message
	octets   map[pop3.UniqueID]string
	content  func(id pop3.UniqueID) (io.ReadCloser, error) // nil: from octets
	update   func(ids []pop3.UniqueID) error               // nil: removes them
	opened   func()
}

func newDrop(messages ...string) *drop {
	d := &drop{octets: map[pop3.UniqueID]string{}}
	for i, m := range messages {
		id := pop3.UniqueID(fmt.Sprintf("id%d", i+1))
		d.messages = append(d.messages, maildrop.Message{ID: id, Size: int64(len(m))})
		d.octets[id] = m
	}
	return d
}

func (d *drop) Open(_ context.Context, user string) (maildrop.Maildrop, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case user == "homeless":
		return nil, maildrop.ErrNoUser
	case d.locked:
		return nil, maildrop.ErrLocked
	}
	if d.opened != nil {
		d.opened()
	}
	d.locked = true
	return d, nil
}

func (d *drop) Messages() []maildrop.Message { return append([]maildrop.Message(nil), d.messages...) }

func (d *drop) Content(_ context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	if d.content != nil {
		return d.content(id)
	}
	return io.NopCloser(strings.NewReader(d.octets[id])), nil
}

func (d *drop) Update(_ context.Context, ids []pop3.UniqueID) error {
	if d.update != nil {
		return d.update(ids)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		delete(d.octets, id)
		for i, m := range d.messages {
			if m.ID == id {
				d.messages = append(d.messages[:i:i], d.messages[i+1:]...)
				break
			}
		}
	}
	return nil
}

func (d *drop) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locked = false
	return nil
}

// passwords knows "u" and "homeless", both with the password "p w".
type passwords struct{}

func (passwords) Authenticate(_ context.Context, _ *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	switch {
	case name == "broken":
		return pop3server.Identity{}, errors.New("database says: secret detail")
	case (name == "u" || name == "homeless") && password == "p w":
		return pop3server.Identity{User: name}, nil
	}
	return pop3server.Identity{}, pop3server.ErrCredentials
}

// secrets lets "u" use APOP.
type secrets struct{ off bool }

func (s *secrets) Available() bool { return !s.off }

func (s *secrets) Secret(_ context.Context, _ *pop3server.Peer, name string) (who pop3server.Identity, secret string, err error) {
	if name != "u" {
		return pop3server.Identity{}, "", pop3server.ErrCredentials
	}
	return pop3server.Identity{User: "u"}, "tanstaaf", nil
}

// newServer serves d; passwords may cross net.Pipe. Its log is in the buffer.
func newServer(d *drop) (*pop3server.Server, *logBuffer) {
	log := new(logBuffer)
	return &pop3server.Server{
		Store: d, Auth: passwords{}, AllowCleartext: true,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A client talks to a server over a pipe, line by line.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	done chan struct{} // closed when the server's side is over
}

func connect(t *testing.T, srv *pop3server.Server) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	c := &client{t: t, conn: ours, r: bufio.NewReader(ours), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		srv.ServeConn(theirs)
	}()
	t.Cleanup(func() {
		ours.Close()
		<-c.done
	})
	return c
}

// talk plays a conversation: "C: " lines are sent, "S: " lines must come. An
// S: line that ends with "..." is a prefix. "(close)" wants the end.
func (c *client) talk(conversation string) {
	c.t.Helper()
	for line := range strings.Lines(conversation) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case line == "(close)":
			if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
				c.t.Fatalf("want the end, got %q, %v", rest, err)
			}
		case strings.HasPrefix(line, "C:"):
			c.send(strings.TrimPrefix(strings.TrimPrefix(line, "C:"), " ") + "\r\n")
		case strings.HasPrefix(line, "S:"):
			want := strings.TrimPrefix(strings.TrimPrefix(line, "S:"), " ")
			got, err := c.r.ReadString('\n')
			got = strings.TrimSuffix(got, "\r\n")
			prefix, isPrefix := strings.CutSuffix(want, "...")
			if err != nil || got != want && !(isPrefix && strings.HasPrefix(got, prefix)) {
				c.t.Fatalf("want %q, got %q, %v", want, got, err)
			}
		default:
			c.t.Fatalf("bad line in the test: %q", line)
		}
	}
}

func (c *client) send(octets string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, octets); err != nil {
		c.t.Fatal(err)
	}
}

const login = `
	S: +OK POP3 server ready
	C: USER u
	S: +OK send PASS
	C: PASS p w
	S: +OK maildrop has ...
`

func nopConn() net.Conn {
	ours, theirs := net.Pipe()
	theirs.Close()
	return ours
}
