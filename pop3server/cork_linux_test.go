package pop3server_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The reply to QUIT and the end of the connection come together: the moment there is
// something to read, nothing more will come.
func TestLastReplyBringsTheEnd(t *testing.T) {
	srv, _ := newTLSServer(three())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	for _, secure := range []bool{false, true} {
		for range 20 { // two packets may have come both when it is looked, but not each time
			tcp, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			quitTogether(t, tcp.(*net.TCPConn), secure)
			tcp.Close()
		}
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	<-served
}

func quitTogether(t *testing.T, tcp *net.TCPConn, secure bool) {
	t.Helper()
	var conn net.Conn = tcp
	r := bufio.NewReader(conn)
	say := func(command, want string) {
		t.Helper()
		if _, err := io.WriteString(conn, command); err != nil {
			t.Fatal(err)
		}
		if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, want) {
			t.Fatalf("%q: %q, %v", command, line, err)
		}
	}
	say("", "+OK")
	if secure {
		say("STLS\r\n", "+OK")
		conn = tls.Client(tcp, trusting(tls.VersionTLS13))
		r.Reset(conn)
	}
	say("USER joe\r\n", "+OK")
	if _, err := io.WriteString(conn, "QUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}
		if n, err := unix.Poll(events, 10_000); n != 1 || err != nil || events[0].Revents&unix.POLLRDHUP == 0 {
			t.Fatalf("TLS %v: %d, %v, events %#x", secure, n, err, events[0].Revents)
		}
	})
	if got, err := io.ReadAll(r); err != nil || string(got) != "+OK POP3 server signing off\r\n" {
		t.Fatalf("%q, %v", got, err)
	}
}
