package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/explore"
)

// A pipe is a listener without a network, for fake time.
type pipe struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipe() *pipe { return &pipe{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8110} }

func (p *pipe) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

// piped is a browser in fake time. What it leaves behind ends with close.
func piped(t *testing.T, p explore.Picker) (b *browser, l *pipe, end func()) {
	t.Helper()
	f, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	l = newPipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Serve(ctx, l) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: l.dial}
	b = &browser{t: t, client: &http.Client{Jar: jar, Transport: transport}, base: "http://" + l.Addr().String() + f.home, home: f.home}
	b.get(strings.TrimPrefix(f.Address(l.Addr()), b.base))
	b.wants(200)
	return b, l, func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Whoever reaches the port can send half a form: with it no connection is kept.
func TestStalledRequestsEnd(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		synctest.Test(t, func(t *testing.T) {
			_, l, end := piped(t, explore.Picker{})
			defer end()
			c, err := l.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			start := time.Now()
			if _, err := fmt.Fprintf(c, "%s /a/1/mark HTTP/1.1\r\nHost: 127.0.0.1:8110\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nform=", method); err != nil {
				t.Fatal(err)
			}
			c.SetReadDeadline(start.Add(10 * time.Minute))
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("%s: %v after %v", method, err, time.Since(start))
			}
		})
	}
}
