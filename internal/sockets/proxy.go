package sockets

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"

	"postfach/internal/hint"
)

// Proxies are those whose word is taken for who a client is: the connections
// from their networks begin with a header of the PROXY protocol, version 1 or 2,
// before TLS and before the greeting. Connections from elsewhere have none, and
// what looks like one there is only a command that does not exist.
type Proxies struct {
	// Networks are the proxies' addresses. Nobody is believed by an address that has a
	// zone (fe80::1%eth0): a network cannot say which link it is on.
	Networks []netip.Prefix
	// Wait is how long a header may take, from the connection's first moment on,
	// however busily it drips. What reads later sets its own deadlines.
	Wait time.Duration
}

// behind returns the connection as it is to be used.
func (p *Proxies) behind(c net.Conn) net.Conn {
	if p == nil || !p.trust(c.RemoteAddr()) {
		return c
	}
	c.SetReadDeadline(time.Now().Add(p.Wait))
	return &proxied{Conn: c, r: bufio.NewReaderSize(c, headerBuffer)}
}

func (p *Proxies) trust(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := tcp.AddrPort().Addr().Unmap() // with a zone it is in no network: those of all links look alike
	for _, network := range p.Networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// headerBuffer is more than a header of version 1 has (107 octets), which is
// taken only when it comes in one piece. The library bounds version 2 at 4 KiB.
const headerBuffer = 256

// errHeader is what a connection from a proxy says that begins with no header,
// or with one that cannot be understood.
var errHeader = errors.New("PROXY header")

// A headerError is errHeader, and what was wrong. It ends a session for a reason of
// its own, which pop3server logs: somebody has to mend the proxy, or its name here.
type headerError struct{ error }

func (*headerError) Reason() string { return "PROXY header" }

func (e *headerError) Unwrap() error { return e.error }

func wrongHeader(err error) error {
	return hint.Add(&headerError{fmt.Errorf("%w: %w", errHeader, err)},
		"in HAProxy, send-proxy-v2 or send-proxy belongs to the server line, and check-send-proxy to its checks; what is no proxy must not be in proxy_protocol")
}

// A proxied connection begins with a header. Whoever first reads, writes or asks
// for an end of it waits for that, up to the read deadline. When the header is
// bad, nothing can be read or written, and the ends are the proxy's.
type proxied struct {
	net.Conn
	once          sync.Once
	r             *bufio.Reader // nil when what came with the header has been read
	local, remote net.Addr
	err           error
}

func (c *proxied) header() error {
	c.once.Do(func() {
		c.local, c.remote = c.Conn.LocalAddr(), c.Conn.RemoteAddr()
		c.err = errHeader // stays, should what follows panic
		h, err := proxyproto.Read(c.r)
		if err == nil {
			err = c.believe(h)
		}
		if err != nil {
			c.r, err = nil, wrongHeader(err)
		}
		c.err = err
	})
	return c.err
}

// believe takes the ends of the connection from the header. LOCAL is the proxy
// itself, mostly to see whether the server is well: its own ends are the real
// ones. UNKNOWN is somebody behind the proxy who has no address but the proxy's.
func (c *proxied) believe(h *proxyproto.Header) error {
	switch {
	case h.Command.IsLocal() && h.Version == 1: // UNKNOWN
		c.local, c.remote = behindProxy(c.local), behindProxy(c.remote)
		return nil
	case h.Command.IsLocal():
		return nil
	}
	remote, local, ok := h.TCPAddrs()
	if !ok {
		return errors.New("no TCP addresses")
	}
	// 127.0.0.1, says the proxy of its own machine: that is the proxy's address.
	if remote.IP.IsLoopback() {
		c.remote = behindProxy(c.remote)
	} else {
		c.remote = remote
	}
	if local.IP.IsLoopback() {
		c.local = behindProxy(c.local)
	} else {
		c.local = local
	}
	return nil
}

// A hearsay address is not of this machine, whatever it is: only the kernel can
// vouch for loopback addresses, and what is allowed to this machine alone, such as
// passwords without TLS, is not for a client that came through a proxy. It is no
// *net.TCPAddr, so that nobody takes it for one.
type hearsay struct{ *net.TCPAddr }

func behindProxy(own net.Addr) net.Addr {
	if tcp, ok := own.(*net.TCPAddr); ok {
		return hearsay{tcp}
	}
	return own // no proxy is trusted that is not at a TCP address
}

// RemoteAddr is the client's address, by the word of the proxy.
func (c *proxied) RemoteAddr() net.Addr {
	c.header()
	return c.remote
}

// LocalAddr is the address that the client has connected to.
func (c *proxied) LocalAddr() net.Addr {
	c.header()
	return c.local
}

func (c *proxied) Read(p []byte) (int, error) {
	if err := c.header(); err != nil {
		return 0, err
	}
	if c.r != nil && c.r.Buffered() > 0 {
		return c.r.Read(p)
	}
	c.r = nil
	return c.Conn.Read(p)
}

func (c *proxied) Write(p []byte) (int, error) {
	if err := c.header(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// CloseWrite tells the other end that nothing more comes, as that of a
// *net.TCPConn.
func (c *proxied) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
