// The race detector has memory of its own for each goroutine.
//go:build !race

package pop3server_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A tuner is a client that knows how package tls makes room: buffers double when
// something does not fit, and stay as large as they were. So it says what almost
// fits, and then a little more.
type tuner struct {
	host  int   // octets of the name that it looks for
	hello int   // octets of its ClientHello, without it, about
	split int   // what the ClientHello is cut into; 0: as large as records may be
	words []int // lines that are too long, a record for each
	line  int   // octets of a response that does not end, in small records
	last  int   // the header of a record that does not come; 0: none
	chain int   // octets of client certificates, the last few of which do not come; 0: none
}

// A shredder cuts the first record that is written into several, and the second
// flight short.
type shredder struct {
	net.Conn
	size  int
	short bool
	done  atomic.Bool
}

func (c *shredder) Write(p []byte) (int, error) {
	if c.done.Swap(true) {
		if c.short {
			c.Conn.Write(p[:len(p)-500])
			return 0, net.ErrClosed
		}
		return c.Conn.Write(p)
	}
	if c.size == 0 {
		return c.Conn.Write(p)
	}
	const header = 5
	var all []byte
	for body := p[header:]; len(body) > 0; {
		n := min(c.size, len(body))
		all = append(all, p[0], p[1], p[2], byte(n>>8), byte(n))
		all = append(all, body[:n]...)
		body = body[n:]
	}
	if _, err := c.Conn.Write(all); err != nil {
		return 0, err
	}
	return len(p), nil
}

// reach goes as far as the server lets it.
func (u tuner) reach(h *holder, _ int) {
	config := trusting(h.version)
	config.DynamicRecordSizingDisabled = true // a record for each write
	if u.host > 0 {
		config.ServerName, config.InsecureSkipVerify = strings.Repeat("x", u.host), true
	}
	for left := u.hello; left > 0; left -= 251 {
		config.NextProtos = append(config.NextProtos, strings.Repeat("x", 250))
	}
	if u.hello > 0 {
		config.NextProtos = append(config.NextProtos, "pop3")
	}
	if u.chain > 0 {
		cert, _ := certificate()
		cert.Certificate = append(cert.Certificate, make([]byte, u.chain))
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	conn := tls.Client(&shredder{Conn: h.pipe, size: u.split, short: u.chain > 0}, config)
	if conn.Handshake() != nil {
		return
	}
	// Nothing reads in the background: a client that is still there would count, too.
	r := bufio.NewReaderSize(conn, 16)
	hears := func() bool {
		_, err := r.ReadString('\n')
		return err == nil
	}
	if !hears() {
		return
	}
	for _, n := range u.words {
		if _, err := io.WriteString(conn, strings.Repeat("x", n-2)+"\r\n"); err != nil || !hears() {
			return
		}
	}
	if _, err := io.WriteString(conn, "AUTH PLAIN\r\n"); err != nil || !hears() {
		return
	}
	for left := u.line; left > 0; left -= 1000 {
		if _, err := io.WriteString(conn, strings.Repeat("A", min(left, 1000))); err != nil {
			return
		}
	}
	if u.last > 0 { // there is room for it as soon as its first octet has been read
		h.pipe.Write([]byte{23, 3, 3, byte(u.last >> 8), byte(u.last), 0})
	}
}

// What a client may need is not too much: a record as long as records may be, a
// response as long as responses may be, first words of the size that they have with
// keys for quantum computers and a ticket, and a long chain of certificates.
func TestHonestTLSHasRoom(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		for _, test := range []struct {
			name         string
			hello, chain int
		}{{"large records", 2_000, 0}, {"certificate", 0, 10_000}} {
			t.Run(name+", "+test.name, func(t *testing.T) {
				srv, _ := newTLSServer(three())
				srv.Auth, srv.Limits.FailureDelay = newBook(), time.Millisecond
				srv.TLS.ClientAuth = tls.RequestClientCert
				config := trusting(version)
				config.DynamicRecordSizingDisabled = true
				for left := test.hello; left > 0; left -= 251 {
					config.NextProtos = append(config.NextProtos, strings.Repeat("x", 250))
				}
				config.NextProtos = append(config.NextProtos, "pop3")
				if test.chain > 0 {
					large := certificateOf(t, test.chain)
					config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &large, nil }
				}
				c, _ := connectFull(t, srv, config)
				padded := strings.Repeat("x", 16_382) + "\r\n" // in a record of full length
				if test.chain > 0 {
					padded = "NOOP\r\n"
				}
				for range 3 {
					c.line(strings.TrimSuffix(padded, "\r\n"))
				}
				response := 12_200
				if test.chain > 0 {
					response = 2_000
				}
				c.line("AUTH PLAIN")
				c.send(strings.Repeat("A", response-10)) // not in one piece
				if got := c.line(strings.Repeat("A", 10)); !strings.HasPrefix(got, "-ERR") {
					t.Errorf("a response of %d octets: %q", response, got)
				}
				if got := c.line("QUIT"); !strings.HasPrefix(got, "+OK") {
					t.Error(got)
				}
				io.Copy(io.Discard, c.r)
				<-c.done
			})
		}
	}
}

// A ticket of the size that internal/certificates gives is part of the first words.
func TestHonestHelloHasRoom(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		srv, _ := newTLSServer(three())
		config := trusting(version)
		for range 11 {
			config.NextProtos = append(config.NextProtos, strings.Repeat("x", 250))
		}
		config.NextProtos = append(config.NextProtos, "pop3")
		c, _ := connectFull(t, srv, config)
		if got := c.line("QUIT"); !strings.HasPrefix(got, "+OK") {
			t.Errorf("%s: %s", name, got)
		}
		io.Copy(io.Discard, c.r)
		<-c.done
	}
}

// certificateOf makes a certificate of so many octets and a few.
func certificateOf(t *testing.T, octets int) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999}, Value: make([]byte, octets)}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// What a client calls us stays as long as the connection, so it is no longer than
// names are.
func TestNamesLongerThanInTheDNSAreRefused(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		for length, want := range map[int]bool{255: true, 256: false} {
			srv, _ := newTLSServer(three())
			c := connectTLS(t, srv)
			config := trusting(version)
			config.ServerName, config.InsecureSkipVerify = strings.Repeat("x", length), true
			conn := tls.Client(c.conn, config)
			if err := conn.Handshake(); (err == nil) != want {
				t.Errorf("%s, %d octets: %v", name, length, err)
			}
			c.conn.Close()
			<-c.done
		}
	}
}

// What a client asks for in its first words is in the log in part, at most
// (promise 14).
func TestFirstWordsAreNotLoggedWhole(t *testing.T) {
	srv, log := newTLSServer(three())
	c := connectTLS(t, srv)
	config := trusting(0)
	for range 10 {
		config.NextProtos = append(config.NextProtos, strings.Repeat("x", 250))
	}
	if err := tls.Client(c.conn, config).Handshake(); err == nil {
		t.Error("protocols that do not exist")
	}
	<-c.done
	if line := log.String(); len(line) > 500 || !strings.Contains(line, "unsupported application protocols") {
		t.Errorf("log:\n%s", line)
	}
}
