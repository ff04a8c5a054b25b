package sockets

import (
	"errors"
	"net"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(actAsChild) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open returns a socket on a free port of this machine.
func open(t testing.TB) *Socket {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	must(t, err)
	s := New(l)
	t.Cleanup(func() { s.Close() })
	return s
}

// A connection goes to whoever serves at that moment, and none is lost between
// two.
func TestTurnsShareASocket(t *testing.T) {
	s := open(t)
	first, second := s.Turn(nil), s.Turn(nil)
	must(t, first.Close())
	if _, err := first.Accept(); err != net.ErrClosed {
		t.Errorf("Accept after Close: %v", err)
	}
	conn, err := net.Dial("tcp", s.Addr().String())
	must(t, err)
	defer conn.Close()
	got, err := second.Accept()
	must(t, err)
	if got.RemoteAddr().String() != conn.LocalAddr().String() {
		t.Error("not the connection that was made")
	}
	got.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := second.Accept(); err != net.ErrClosed {
			t.Errorf("Accept when the socket closes: %v", err)
		}
	})
	must(t, s.Close())
	wg.Wait()
}

func TestSocketClosesWithoutATurn(t *testing.T) {
	s := open(t)
	must(t, s.Close())
	if _, err := s.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it is open: %v", err)
	}
	must(t, s.Close()) // once more
}
