package main

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
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A hostile server answers lines in clear, whatever they are asked for, and keeps
// what it hears.
type hostile struct {
	greeting string
	replies  map[string]string // by keyword; others hear +OK
	then     func(net.Conn)    // after STLS; nil: it goes on in clear
}

// serve takes one connection, and says what came in clear.
func (h *hostile) serve(l net.Listener, heard chan<- string) {
	conn, err := l.Accept()
	if err != nil {
		heard <- ""
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, h.greeting)
	var all strings.Builder
	defer func() { heard <- all.String() }()
	for r := bufio.NewReader(conn); ; {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			return
		}
		keyword, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		reply, known := h.replies[keyword]
		if !known {
			reply = "+OK\r\n"
		}
		if reply == "" || keyword == "USER" || keyword == "AUTH" || keyword == "APOP" {
			return // it hangs up: it has heard enough
		}
		io.WriteString(conn, reply)
		if keyword == "STLS" && h.then != nil {
			h.then(conn)
			return
		}
	}
}

// Promises 9 and 10, of the client: whatever a server does instead of TLS, the
// real program says neither name nor password, in clear or in a TLS that it has no
// reason to trust, and takes nothing that was said before (P3-TLS-07, P3-TLS-10,
// P3-TLS-11). So by default with a server that is not this machine (0.0.0.0 leads
// here and is no name of it), and here with --stls.
func TestNoPasswordWithoutTLS(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "secret word")
	const capa, all = "+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN\r\n.\r\n", "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"
	inTLS := make(chan string, 1)
	unknown := unknownCertificate(t)
	handshake := func(conn net.Conn) {
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{unknown}})
		io.WriteString(secured, "+OK\r\n")
		said, _ := bufio.NewReader(secured).ReadString('\n')
		inTLS <- said
	}
	nothing := func(conn net.Conn) { // may come: not even a handshake begins
		if n, _ := conn.Read(make([]byte, 1)); n > 0 {
			inTLS <- "a handshake"
		}
	}
	for name, h := range map[string]*hostile{
		"STLS is not announced":       {"+OK\r\n", map[string]string{"CAPA": all}, nil},
		"STLS is refused":             {"+OK\r\n", map[string]string{"CAPA": capa, "STLS": "-ERR not now\r\n"}, nil},
		"no CAPA, no STLS":            {"+OK\r\n", map[string]string{"CAPA": "-ERR what\r\n", "STLS": "-ERR what\r\n"}, nil},
		"no handshake":                {"+OK\r\n", map[string]string{"CAPA": capa}, nil},
		"hangs up at STLS":            {"+OK\r\n", map[string]string{"CAPA": capa, "STLS": ""}, nil},
		"a reply behind the +OK":      {"+OK\r\n", map[string]string{"CAPA": capa, "STLS": "+OK\r\n+OK logged in\r\n"}, nothing},
		"half a reply behind the +OK": {"+OK\r\n", map[string]string{"CAPA": capa, "STLS": "+OK\r\n+"}, nothing},
		"a certificate of nobody":     {"+OK\r\n", map[string]string{"CAPA": capa}, handshake},
		"in TRANSACTION at once":      {"+OK [PREAUTH] welcome\r\n", map[string]string{"CAPA": all, "STLS": "-ERR you are in\r\n"}, nil},
	} {
		for _, here := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				l := listen(t)
				defer l.Close()
				heard := make(chan string, 1)
				go h.serve(l, heard)
				_, port, _ := net.SplitHostPort(l.Addr().String())
				args := []string{"get", "pop3://anna@0.0.0.0:" + port, "--to", "dir:" + filepath.Join(t.TempDir(), "target")}
				if here {
					args = []string{"get", "pop3://anna@127.0.0.1:" + port, "--stls", "--to", args[3]}
				}
				r := runTool(t, "", args...)
				if r.code == 0 {
					t.Errorf("it says that all went well: %s%s", r.stdout, r.stderr)
				}
				said := <-heard
				if strings.Contains(said, "anna") || strings.Contains(said, "secret") || strings.Contains(said, "AUTH") {
					t.Errorf("said in clear: %q", said)
				}
				select {
				case said := <-inTLS:
					if said != "" {
						t.Errorf("said in TLS that nobody vouches for: %q", said)
					}
				default:
				}
			})
		}
	}
}

func unknownCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4zero, net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
