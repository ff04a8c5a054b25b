//go:build unix

package peer

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDovecotGreets(t *testing.T) {
	d := StartDovecot(t, User{"u", "p w"})
	d.Deliver(t, "u", 1, []byte("Subject: x\n\nx\n"))
	plain, err := net.Dial("tcp", d.Plain)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	secure, err := tls.Dial("tcp", d.TLS, d.Cert.Client)
	if err != nil {
		t.Fatal(err)
	}
	defer secure.Close()
	for _, conn := range []net.Conn{plain, secure} {
		greeting, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(greeting, "+OK ") {
			t.Errorf("%q %v", greeting, err)
		}
	}
}
