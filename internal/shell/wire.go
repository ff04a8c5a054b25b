package shell

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// longestLine bounds the lines that the shell reads and sends, in octets: as
// long as a SASL exchange may need.
const longestLine = 64 << 10

// A wire is the connection. One goroutine at a time reads from it.
type wire struct {
	raw    *pacedConn
	conn   net.Conn // raw, or TLS on it
	r      *popwire.Reader
	secure bool
	local  bool // both ends are this machine
}

// pacedConn bounds how long the server may be silent while it owes something.
type pacedConn struct {
	net.Conn
	timeout time.Duration
	owes    atomic.Bool
}

func (c *pacedConn) Read(p []byte) (int, error) {
	if c.owes.Load() {
		if err := c.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

// expect starts the clock, also for a read that waits already; rest stops it.
func (c *pacedConn) expect() {
	c.owes.Store(true)
	_ = c.SetDeadline(time.Now().Add(c.timeout)) // a read of a dead connection says so
}

// within ends everything after so long, however much the server says.
func (c *pacedConn) within(limit time.Duration) {
	c.owes.Store(false)
	_ = c.SetDeadline(time.Now().Add(limit))
}

func (c *pacedConn) rest() {
	c.owes.Store(false)
	_ = c.SetDeadline(time.Time{})
}

func dial(ctx context.Context, o *Options) (*wire, error) {
	connect := o.DialContext
	if connect == nil {
		connect = (&net.Dialer{Timeout: o.Timeout}).DialContext
	}
	conn, err := connect(ctx, "tcp", o.Target.Addr())
	if err != nil {
		return nil, err
	}
	w := &wire{raw: &pacedConn{Conn: conn, timeout: o.Timeout}}
	if addr, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		w.local = addr.IP.IsLoopback()
	}
	w.raw.expect()
	w.use(w.raw)
	return w, nil
}

// use reads from conn, with an empty buffer (P3-TLS-07).
func (w *wire) use(conn net.Conn) {
	w.conn = conn
	w.r = popwire.NewReader(conn, 32<<10)
	w.r.GiveUp = true
}

// handshake begins TLS.
func (w *wire) handshake(ctx context.Context, config *tls.Config) error {
	conn := tls.Client(w.raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	w.use(conn)
	w.secure = true
	return nil
}

// tlsConfig is the caller's with what POP3 needs (P3-TLS-02, P3-TLS-23).
func tlsConfig(o *Options) *tls.Config {
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ServerName == "" {
		config.ServerName = o.Target.Host
	}
	if config.NextProtos == nil {
		config.NextProtos = []string{pop3.ALPN}
	}
	return config
}
