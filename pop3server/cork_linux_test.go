package pop3server_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// The reply to QUIT and the end of the connection come together: the moment there is
// something to read, nothing more will come.
func TestLastReplyBringsTheEnd(t *testing.T) {
	srv, _ := newTLSServer(three())
	for _, secure := range []bool{false, true} {
		for range 20 { // two packets may have come both when it is looked, but not each time
			c := connectTCP(t, srv)
			tcp := c.conn.(*net.TCPConn)
			c.talk("S: +OK ...")
			if secure {
				c.talk("C: STLS\nS: +OK ...")
				if err := c.startTLS(); err != nil {
					t.Fatal(err)
				}
			}
			c.talk("C: NOOP\nS: -ERR ...") // after the handshake, all of it
			c.send("QUIT\r\n")
			if events := firstEvents(t, tcp); events&unix.POLLRDHUP == 0 {
				t.Fatalf("TLS %v: something to read, and no end: %#x", secure, events)
			}
			if got, err := io.ReadAll(c.r); err != nil || string(got) != "+OK POP3 server signing off\r\n" {
				t.Fatalf("%q, %v", got, err)
			}
		}
	}
}

// firstEvents waits until there is something to read, and returns poll(2)'s events.
func firstEvents(t *testing.T, tcp *net.TCPConn) int16 {
	t.Helper()
	raw, err := tcp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	events := []unix.PollFd{{Events: unix.POLLIN | unix.POLLRDHUP}}
	var n int
	var failed error
	if err := raw.Control(func(fd uintptr) {
		events[0].Fd = int32(fd)
		for failed = unix.EINTR; errors.Is(failed, unix.EINTR); {
			n, failed = unix.Poll(events, 10_000)
		}
	}); err != nil || failed != nil || n != 1 {
		t.Fatalf("poll: %d, %v, %v", n, failed, err)
	}
	return events[0].Revents
}
