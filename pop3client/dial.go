package pop3client

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"postfach/pop3"
)

// Dial connects to addr, a host with or without a port, protects the
// connection as Options.Security says, and reads greeting and capabilities. A
// server that hangs up when it hears CAPA is called again and not asked.
// nil options are the zero value: TLS from the first octet.
func Dial(ctx context.Context, addr string, opts *Options) (*Client, error) {
	if opts == nil {
		opts = &Options{}
	}
	addr, host := opts.address(addr)
	o := *opts
	o.TLS = opts.tlsConfig(host)
	var before, after bool // where CAPA is left out: in clear, in TLS
	for {
		c, err := o.dial(ctx, addr, host, before, after)
		if err == nil {
			return c, nil
		}
		inTLS := c != nil && c.tls != nil
		again := errors.Is(err, ErrCapaHangup) && !(before && after)
		if !again {
			return nil, err
		}
		// What happens in clear does not decide what is asked inside TLS:
		// anybody can cut a connection in clear.
		before = true
		after = after || inTLS || o.Security == Cleartext
	}
}

// dial makes one attempt. The Client is returned beside an error, closed, for
// what it knows.
func (o *Options) dial(ctx context.Context, addr, host string, before, after bool) (*Client, error) {
	dial := o.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: o.timeout()}).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, wrap("connect", err)
	}
	c := newClient(conn, o)
	c.addr = addr
	if o.DialContext != nil && !loopbackHost(host) {
		c.local = false // a proxy here is no server here
	}
	if o.Security == ImplicitTLS {
		if err := c.handshake(ctx); err != nil {
			return c, err
		}
	}
	c.skipCapa = before && (c.tls == nil || after)
	if err := c.start(ctx); err != nil || o.Security != RequireSTLS {
		return c, err
	}
	c.skipCapa = after
	if err := c.STLS(ctx); err != nil {
		c.shut(err)
		return c, err
	}
	return c, nil
}

// address completes addr with the port that goes with the kind of security.
func (o *Options) address(addr string) (full, host string) {
	host, _, err := net.SplitHostPort(addr)
	if err == nil {
		return addr, host
	}
	host = strings.Trim(addr, "[]")
	port := pop3.Port
	if o.Security == ImplicitTLS {
		port = pop3.PortTLS
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), host
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}
