package bench

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// delayed starts a proxy before an address.
func delayed(t testing.TB, to string, rtt time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- (&Delay{To: to, RTT: rtt}).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// echo answers each connection with all that came, once the client has said that
// nothing more comes.
func echo(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all, err := io.ReadAll(conn)
			if err == nil {
				conn.Write(all)
			}
			conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestDelayPassesAllOnAndTheEnd(t *testing.T) {
	const rtt = 20 * time.Millisecond
	sent := new(Messages).Append(nil, 1, 5_000_000)
	proxy := delayed(t, echo(t), rtt)
	started := time.Now() // the proxy may hear of the connection before Dial returns
	conn, err := net.Dial("tcp", proxy)
	must(t, err)
	defer conn.Close()
	go func() {
		conn.Write(sent)
		conn.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	must(t, err)
	if !bytes.Equal(got, sent) {
		t.Errorf("%d octets came back of %d, or others", len(got), len(sent))
	}
	if took := time.Since(started); took < 2*rtt {
		t.Errorf("%v, which is less than two round trips", took)
	}
}

// Each reply takes a round trip, and the greeting two.
func TestDelayIsARoundTripForEachReply(t *testing.T) {
	const rtt = 10 * time.Millisecond
	c := canned(t, 1, 0, nil)
	r := flawless(t, Load{Scenario: "login", Target: Target{Addr: delayed(t, c.Addr, rtt), User: "u%d"}, AtOnce: 3, Count: 3, WarmUp: -1})
	if p50 := r.LatencyMS[session].P50; p50 < 6*ms(rtt) { // and USER, PASS, STAT, QUIT
		t.Errorf("%v ms for a session", p50)
	}
}

// Pipelined commands are on the way together: a delay costs each batch, not each one.
func TestDelayDoesNotLimitThroughput(t *testing.T) {
	const rtt = 50 * time.Millisecond
	c := canned(t, 2000, 4000, nil)
	r := flawless(t, Load{Scenario: "retr", Target: Target{Addr: delayed(t, c.Addr, rtt), User: "u"}, AtOnce: 1, Count: 1, Window: MaxWindow, WarmUp: -1})
	if took := r.LatencyMS["messages"].Max; took > 2000*ms(rtt)/10 {
		t.Errorf("%v ms for 2,000 messages", took)
	}
}

func TestDelayWithoutServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	nobody := l.Addr().String()
	l.Close()
	conn, err := net.Dial("tcp", delayed(t, nobody, time.Millisecond))
	must(t, err)
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d octets from nobody", n)
	}
}
