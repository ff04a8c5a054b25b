package pop3server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"postfach/maildrop"
)

// waiting lets somebody wait, and returns what they get.
func waiting(s *spare) <-chan *session {
	got := make(chan *session, 1)
	go func() { got <- s.wait() }()
	for {
		s.mu.Lock()
		here := s.here
		s.mu.Unlock()
		if here {
			return got
		}
		runtime.Gosched()
	}
}

// One waits, and each session is served once, also when the accept loop ends meanwhile.
func TestSpareServesEachSessionOnce(t *testing.T) {
	s := new(spare)
	one := new(session)
	if s.call(one) {
		t.Fatal("called somebody who was not there")
	}
	for range 100 {
		got := waiting(s)
		if s.wait() != nil {
			t.Fatal("two wait")
		}
		if !s.call(one) {
			t.Fatal("not called")
		}
		if s.call(new(session)) {
			t.Fatal("called twice")
		}
		if <-got != one {
			t.Fatal("another session")
		}
	}
	s.end()
	if s.call(one) || s.wait() != nil || s.call(one) {
		t.Fatal("called after the end")
	}
}

func TestSpareEnds(t *testing.T) {
	one := new(session)
	for range 100 {
		alone, called := new(spare), new(spare)
		alone.call(one)
		called.call(one)
		nobody, somebody := waiting(alone), waiting(called)
		if !called.call(one) {
			t.Fatal("not called")
		}
		alone.end()
		called.end()
		if <-nobody != nil {
			t.Fatal("a session from nowhere")
		}
		if <-somebody != one {
			t.Fatal("a session that was called for is not served")
		}
	}
}

// goroutines tells in which goroutine each login was.
type goroutines chan string

func (g goroutines) Authenticate(context.Context, *Peer, string, string) (Identity, error) {
	stack := make([]byte, 64)
	name, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), " [")
	g <- name
	return Identity{}, ErrCredentials
}

type noStore struct{}

func (noStore) Open(context.Context, string) (maildrop.Maildrop, error) {
	return nil, errors.ErrUnsupported
}

// Sessions that come one after the other share a goroutine, and Shutdown ends it.
func TestSessionsShareAGoroutine(t *testing.T) {
	g := make(goroutines, 1)
	srv := &Server{Store: noStore{}, Auth: g, Log: slog.New(slog.DiscardHandler), Limits: Limits{FailureDelay: time.Nanosecond, AddressDelay: time.Nanosecond}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	const sessions = 100
	seen := make(map[string]int)
	for range sessions {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "USER x\r\nPASS y\r\nQUIT\r\n")
		if all, err := io.ReadAll(bufio.NewReader(conn)); err != nil || !strings.Contains(string(all), "signing off") {
			t.Fatalf("%q, %v", all, err)
		}
		conn.Close()
		seen[<-g]++
	}
	if len(seen) == sessions { // some may come before the last one is over, but not all
		t.Error("each session had a goroutine of its own")
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, ErrServerClosed) {
		t.Error(err)
	}
}
