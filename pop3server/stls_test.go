package pop3server_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/pop3"
	"postfach/pop3server"
)

// certificate makes one for "pop.example.com", and the pool that trusts it.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"pop.example.com"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
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
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
})

func newTLSServer(d *drop) (*pop3server.Server, *logBuffer) {
	srv, log := newServer(d)
	cert, _ := certificate()
	srv.AllowCleartext = false
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	return srv, log
}

// startTLS is the client's part of a handshake, with ALPN.
func (c *client) startTLS(protocols ...string) error {
	_, pool := certificate()
	conn := tls.Client(c.conn, &tls.Config{ServerName: "pop.example.com", RootCAs: pool, NextProtos: protocols})
	c.conn, c.r = conn, bufio.NewReader(conn)
	return conn.Handshake()
}

// connectTLS is connect with TLS from the first octet.
func connectTLS(t *testing.T, srv *pop3server.Server) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	c := &client{t: t, conn: ours, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		srv.ServeConnTLS(theirs)
	}()
	t.Cleanup(func() {
		ours.Close()
		<-c.done
	})
	return c
}

func TestSTLS(t *testing.T) {
	srv, log := newTLSServer(three())
	c := connect(t, srv)
	c.talk(`
		S: +OK POP3 server ready
		C: CAPA
		S: +OK Capability list follows
		S: TOP
		S: UIDL
		S: STLS
		S: UTF8 USER
		S: LANG
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: PIPELINING
		S: EXPIRE NEVER
		S: .
		C: USER u
		S: -ERR TLS required, use STLS
		C: AUTH PLAIN AHUAcCB3
		S: -ERR TLS required, use STLS
		C: LANG de
		S: +OK de Antworten sind jetzt deutsch
		C: STLS
		S: +OK TLS-Aushandlung beginnt
	`)
	if err := c.startTLS(pop3.ALPN); err != nil {
		t.Fatal(err)
	}
	c.talk(`
		C: CAPA
		S: +OK Capability list follows
		S: TOP
		S: UIDL
		S: USER
		S: SASL PLAIN
		S: UTF8 USER
		S: LANG
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: PIPELINING
		S: EXPIRE NEVER
		S: .
		C: STLS
		S: -ERR TLS is active already
		C: AUTH PLAIN AHUAcCB3
		S: +OK maildrop has 3 messages (100 octets)
		C: STLS
		S: -ERR not in this state of the session
		C: QUIT
		S: +OK POP3 server signing off
		(close)
	`)
	<-c.done
	if s := log.String(); !strings.Contains(s, `tls="TLS 1.3"`) || !strings.Contains(s, "cipher=TLS_") {
		t.Errorf("log:\n%s", s)
	}
}

// P3-TLS-06: octets behind STLS never run inside TLS.
func TestOctetsBehindSTLSAreNotObeyed(t *testing.T) {
	for name, octets := range map[string]string{
		"commands":  "STLS\r\nUSER evil\r\nPASS x\r\n",
		"half line": "STLS\r\nNO",
	} {
		t.Run(name, func(t *testing.T) {
			srv, log := newTLSServer(three())
			c := connect(t, srv)
			c.talk("S: +OK POP3 server ready")
			c.send(octets)
			c.talk("S: -ERR nothing may follow STLS before TLS\n(close)")
			<-c.done
			if !strings.Contains(log.String(), "octets behind STLS") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
	t.Run("later segment", func(t *testing.T) {
		srv, log := newTLSServer(three())
		c := connect(t, srv)
		c.talk("S: +OK POP3 server ready\nC: STLS\nS: +OK begin TLS negotiation")
		go io.WriteString(c.conn, "USER evil\r\nPASS x\r\n")
		rest, _ := io.ReadAll(c.r)
		if strings.Contains(string(rest), "+OK") {
			t.Errorf("got %q", rest)
		}
		<-c.done
		if !strings.Contains(log.String(), "TLS handshake") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// P3-TLS-09: what was said in clear is forgotten.
func TestUserBeforeSTLSIsForgotten(t *testing.T) {
	srv, _ := newTLSServer(three())
	srv.AllowCleartext, srv.APOP = true, &secrets{}
	c := connect(t, srv)
	greeting, err := c.r.ReadString('\n')
	stamp, ok := pop3.Timestamp(greeting)
	if err != nil || !ok {
		t.Fatalf("%q, %v", greeting, err)
	}
	c.talk("C: USER u\nS: +OK send PASS\nC: STLS\nS: +OK begin TLS negotiation")
	if err := c.startTLS(); err != nil {
		t.Fatal(err)
	}
	c.talk("C: PASS p w\nS: -ERR send USER first\nC: APOP u " + pop3.APOPDigest(stamp, "tanstaaf") + "\nS: -ERR not available here")
}

// P3-TLS-22.
func TestNoSTLSAfterUTF8(t *testing.T) {
	srv, _ := newTLSServer(three())
	connect(t, srv).talk("S: +OK ...\nC: UTF8\nS: +OK UTF-8 mode\nC: STLS\nS: -ERR not after UTF8")
}

// P3-TLS-23.
func TestForeignALPNIsRefused(t *testing.T) {
	srv, _ := newTLSServer(three())
	if err := connectTLS(t, srv).startTLS("h2"); err == nil || !strings.Contains(err.Error(), "no application protocol") {
		t.Errorf("h2: %v", err)
	}
	c := connectTLS(t, srv)
	if err := c.startTLS(); err != nil {
		t.Fatal(err)
	}
	c.talk("S: +OK POP3 server ready\nC: QUIT\nS: +OK ...\n(close)")
}

func TestOldTLSIsRefused(t *testing.T) {
	srv, _ := newTLSServer(three())
	c := connectTLS(t, srv)
	_, pool := certificate()
	conn := tls.Client(c.conn, &tls.Config{ServerName: "pop.example.com", RootCAs: pool, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if err := conn.Handshake(); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

// Several clients see the end of a message only if the terminator comes with
// the end of the last line: one read, one TLS record.
func TestTerminatorComesWithTheLastLine(t *testing.T) {
	for size := 16<<10 - 80; size < 16<<10+20; size++ {
		message := "Subject: x\r\n\r\n" + strings.Repeat("x", size) + "\r\n"
		srv, _ := newTLSServer(newDrop(message))
		c := connectTLS(t, srv)
		if err := c.startTLS(); err != nil {
			t.Fatal(err)
		}
		c.talk("S: +OK POP3 server ready\nC: USER u\nS: +OK send PASS\nC: PASS p w\nS: +OK ...")
		c.send("RETR 1\r\n")
		buf := make([]byte, 32<<10)
		for all := ""; !strings.HasSuffix(all, "\r\n.\r\n"); {
			n, err := c.conn.Read(buf) // a record at the most
			if err != nil {
				t.Fatal(err)
			}
			all += string(buf[:n])
			if strings.HasSuffix(all, "\r\n.\r\n") && n < len("\r\n.\r\n") {
				t.Errorf("size %d: the last record is %q", size, buf[:n])
			}
		}
		c.conn.Close()
	}
}
