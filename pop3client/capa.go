package pop3client

import (
	"context"
	"errors"
	"io"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// Capa asks what the server can do (RFC 2449 section 5). The client asks by
// itself at the start, after STLS and after login; see Capabilities. A
// *pop3.Error means that the server does not know CAPA (P3-CAPA-04).
func (c *Client) Capa(ctx context.Context) (pop3.Capabilities, error) {
	caps := pop3.Capabilities{}
	err := c.commandLines(ctx, "CAPA", func(line string) error {
		if capability, ok := popwire.ParseCapability(line); ok { // P3-CAPA-03
			caps = append(caps, capability)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.caps = caps
	if expire, ok := caps.Lookup(pop3.CapExpire); ok { // without it, what was said before stands
		c.expires0 = expire.Has("0")
	}
	return caps, nil
}

// Expires0 reports whether the server may remove, at QUIT, each message that was
// retrieved, marked or not: it has announced EXPIRE 0 (P3-CAPA-14), and no other
// EXPIRE since. What it said before STLS does not count.
func (c *Client) Expires0() bool { return c.expires0 }

// refreshCapa asks where the answer may have changed. A server that does not
// know CAPA is fine (P3-CAPA-05).
func (c *Client) refreshCapa(ctx context.Context) error {
	if c.skipCapa {
		return nil
	}
	_, err := c.Capa(ctx)
	var no *pop3.Error
	switch {
	case err == nil, errors.As(err, &no):
		c.asked = true
		return nil
	case !c.asked && errors.Is(err, io.ErrUnexpectedEOF):
		return errors.Join(ErrCapaHangup, err)
	}
	return err
}
