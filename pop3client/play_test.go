package pop3client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/internal/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// play starts a server that plays the script and returns a connection to it.
// The test fails when the client says anything else.
func play(t *testing.T, script string, o transcript.Options) net.Conn {
	t.Helper()
	var trimmed strings.Builder
	for line := range strings.Lines(script) {
		trimmed.WriteString(strings.TrimLeft(line, "\t"))
	}
	s, err := transcript.Parse(t.Name(), trimmed.String())
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	played := make(chan error, 1)
	go func() { played <- transcript.Serve(context.Background(), server, s, o) }()
	t.Cleanup(func() {
		client.Close()
		if err := <-played; err != nil {
			t.Errorf("script: %v", err)
		}
	})
	return client
}

// open is play and New.
func open(t *testing.T, script string, opts *Options) *Client {
	t.Helper()
	c, err := New(t.Context(), play(t, script, transcript.Options{}), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// hello is how most scripts begin.
const hello = `S: +OK ready
C: CAPA
S: +OK
S: UIDL
S: .
`

// pipelined is hello with PIPELINING.
const pipelined = `S: +OK ready
C: CAPA
S: +OK
S: PIPELINING
S: .
`

func body(t *testing.T, m *Message) string {
	t.Helper()
	got, err := io.ReadAll(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// certificate is a server's for "mail.test", made once, and the pool that
// trusts it.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"},
		DNSNames: []string{"mail.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
})

func serverTLS() *tls.Config {
	cert, _ := certificate()
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

func clientTLS() *tls.Config {
	_, pool := certificate()
	return &tls.Config{RootCAs: pool, ServerName: "mail.test"}
}

// remote makes a connection look as if it came from elsewhere.
type remote struct{ net.Conn }

func (remote) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 110} }

// pipe is net.Pipe, for servers that are no script.
func pipe(t *testing.T) (client, server net.Conn) {
	client, server = net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// loopbackPair is a TCP connection.
func loopbackPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}
