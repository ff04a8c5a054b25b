package pop3client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"postfach/pop3"
)

// STLS begins TLS (RFC 2595 section 4). All that was said in clear is
// forgotten: capabilities are asked for anew, and the greeting's timestamp is
// not trusted any more (P3-TLS-08, P3-APOP-09). A *pop3.Error is a refusal,
// after which the connection goes on in clear; any other error ends it.
func (c *Client) STLS(ctx context.Context) error {
	switch {
	case c.tls != nil:
		return errors.New("STLS: TLS is active already")
	case c.utf8: // P3-TLS-22
		return errors.New("STLS: not after UTF8")
	case c.state != pop3.Authorization:
		return errors.New("STLS: not after login")
	case c.caps != nil && !c.caps.Has(pop3.CapSTLS):
		return ErrNoSTLS
	}
	if _, err := c.command(ctx, "STLS"); err != nil {
		return err
	}
	// Octets that came with the +OK would be read as if they had come through
	// TLS: somebody tries just that (P3-TLS-07).
	if c.r.Buffered() > 0 {
		return wrap("STLS", c.fail(&pop3.ProtocolError{Want: "nothing between +OK and the handshake"}))
	}
	if err := c.handshake(ctx); err != nil {
		return err
	}
	c.caps, c.expires0, c.asked = nil, false, false
	c.timestamp, c.stale = "", c.timestamp != ""
	return c.refreshCapa(ctx)
}

// handshake makes the connection TLS. No error falls back (P3-TLS-10).
func (c *Client) handshake(ctx context.Context) error {
	if c.err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, c.err)
	}
	release := c.t.watch(ctx)
	defer c.end(release)
	conn := tls.Client(c.t, c.opts.tlsConfig(""))
	c.t.expect()
	if err := conn.HandshakeContext(ctx); err != nil {
		return wrap("TLS handshake", c.fail(err))
	}
	c.tls = conn
	c.use(conn)
	c.traceTLS()
	return nil
}

// tlsConfig returns the configuration with what POP3 needs (P3-TLS-02,
// P3-TLS-23).
func (o *Options) tlsConfig(host string) *tls.Config {
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ServerName == "" {
		config.ServerName = host
	}
	if config.NextProtos == nil {
		config.NextProtos = []string{pop3.ALPN}
	}
	return config
}
