package pop3check_test

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"postfach/pop3check"
)

// A listener whose queue is full drops connections, as firewalls do.
func TestDiagnosisOfAFilteredPort(t *testing.T) {
	t.Parallel()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 8 {
		c, err := net.DialTimeout("tcp", addr, 300*time.Millisecond)
		if err != nil {
			break // it is full
		}
		defer c.Close()
	}
	d := diagnose(t, pop3check.Question{Host: addr, Timeout: time.Second})
	if d.Cause != "port-filtered" || d.Whose != pop3check.Network || !d.Unreachable() {
		t.Errorf("cause %q", d.Cause)
	}
}
