package pop3test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"time"

	"postfach/pop3check"
)

// handshake makes TLS with the client.
func (f *front) handshake() bool {
	conf := f.s.cert.config()
	for _, fault := range f.faults {
		if fault.Certificate != "" {
			conf.Certificates = f.s.cert.bad(fault.Certificate)
		}
		if fault.TLS != nil {
			fault.TLS(conf)
		}
	}
	raw := f.client
	if n := f.br.Buffered(); n > 0 && !f.sess.KeepClear {
		// What came in clear behind STLS is the beginning of the handshake, or
		// nothing that TLS understands.
		early, _ := f.br.Peek(n)
		raw = &prefixConn{Conn: f.client, early: append([]byte(nil), early...)}
		f.overheard = 0
	}
	var hello *pop3check.Hello
	conf.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		hello = &pop3check.Hello{ServerName: h.ServerName, Protocols: h.SupportedProtos}
		return nil, nil
	}
	f.below = &endConn{Conn: raw}
	tc := tls.Server(f.below, conf)
	f.client.SetDeadline(time.Now().Add(patience))
	err := tc.Handshake()
	f.client.SetDeadline(time.Time{})
	if err != nil {
		f.rec.add(pop3check.Event{Kind: pop3check.TLSFailed, Err: err.Error(), Hello: hello})
		return false
	}
	f.rec.add(pop3check.Event{Kind: pop3check.TLSBegun, Hello: hello})
	var r io.Reader = tc
	if f.sess.KeepClear && f.br.Buffered() > 0 {
		early, _ := f.br.Peek(f.br.Buffered())
		r = io.MultiReader(strings.NewReader(string(early)), tc)
	}
	f.client, f.br, f.sess.TLS = tc, bufio.NewReader(r), true
	return true
}

// An endConn notes that its end was read. TLS that ends before has been closed
// with close_notify.
type endConn struct {
	net.Conn
	ended bool
}

func (c *endConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.ended = c.ended || err == io.EOF
	return n, err
}

// A prefixConn reads some octets before those of the connection.
type prefixConn struct {
	net.Conn
	early []byte
}

func (c *prefixConn) Read(p []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.early)
	c.early = c.early[n:]
	return n, nil
}

// clientHello is the first octet of a TLS handshake. No command begins with it.
const clientHello = 0x16

// stls begins TLS with the client; with the real server, too, if it was asked
// for it.
func (f *front) stls(forwarded bool) bool {
	if f.sess.Fallback {
		if first, err := f.br.Peek(1); err == nil && first[0] != clientHello {
			return true
		}
	}
	if !f.handshake() {
		f.br.Discard(f.br.Buffered())
		return f.sess.Fallback
	}
	for _, fault := range f.faults {
		if fault.Secured != nil {
			fault.Secured(f.sess)
		}
	}
	return !forwarded || f.innerTLS()
}
