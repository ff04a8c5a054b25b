package pop3server_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"postfach/pop3server"
)

// FuzzAUTH says anything in each mechanism. Nobody is let in who does not know
// what lets in, nothing falls over, and what comes back is challenges and replies.
func FuzzAUTH(f *testing.F) {
	for i, seed := range []string{
		b64("n,,n=u,r=abc") + "\r\n" + b64("c=biws,r=abc,p=AAAA") + "\r\n\r\n",
		b64("p=tls-exporter,,n=u,r=abc") + "\r\n*\r\n",
		b64("n,a=v,n=v,r=,,,x=y") + "\r\n",
		"\r\n\r\n\r\n", "=\r\n", "*\r\n",
		b64("u "+strings.Repeat("0", 32)) + "\r\n",
		b64("\x00u\x00x") + "\r\n", b64("u\x00u\x00") + "\r\n",
		b64("u") + "\r\n" + b64("x") + "\r\n",
		b64("n,a=u,\x01auth=Bearer x\x01\x01") + "\r\nAQ==\r\nAUTH XOAUTH2\r\n" + b64("user=u\x01auth=Bearer x\x01\x01") + "\r\n\r\n",
		"!!!!\r\nAUTH PLAIN\r\nAUTH PLAIN AAAA\r\n",
	} {
		f.Add(uint8(i), true, []byte(seed))
		f.Add(uint8(i), false, []byte(seed))
	}
	config := showing(0, "eve")
	f.Fuzz(func(t *testing.T, n uint8, initial bool, lines []byte) {
		for _, known := range []string{"p w", appPassword, "tanstaaf", token} {
			if bytes.Contains(lines, []byte(known)) || bytes.Contains(lines, []byte(b64(known))) {
				return // it has guessed
			}
		}
		d := three()
		srv, log := newFullServer(d)
		name := everyMechanism[int(n)%len(everyMechanism)]
		end := "\r\n"
		if initial {
			end = " "
		}
		said := append([]byte("AUTH "+name+end), lines...)
		heard := sayInTLS(t, srv, config, said)
		first := true
		for line := range strings.Lines(heard) {
			reply := strings.HasPrefix(line, "+OK ") || strings.HasPrefix(line, "-ERR ") || strings.HasPrefix(line, "+ ")
			if first && !strings.HasPrefix(line, "+OK ") || !reply && !bytes.Contains(bytes.ToUpper(lines), []byte("CAPA")) && !bytes.Contains(bytes.ToUpper(lines), []byte("LANG")) {
				t.Errorf("%q", line)
			}
			first = false
		}
		if s := log.String(); strings.Contains(s, "msg=login ") || strings.Contains(s, "panic") || d.locked {
			t.Errorf("%s", s)
		}
	})
}

// sayInTLS says all of it, hangs up, and returns what the server said.
func sayInTLS(t *testing.T, srv *pop3server.Server, config *tls.Config, octets []byte) string {
	t.Helper()
	ours, theirs := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		srv.ServeConnTLS(theirs)
	}()
	conn := tls.Client(ours, config)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	go func() {
		conn.Write(octets)
		conn.CloseWrite()
	}()
	heard, err := io.ReadAll(conn)
	ours.Close()
	<-served
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	return string(heard)
}
