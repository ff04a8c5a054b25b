package pop3client

import (
	"context"
	"errors"
	"strings"

	"postfach/pop3"
	"postfach/sasl"
)

// APOP logs in with a digest of the greeting's timestamp and a shared secret
// (RFC 1939 section 7). ErrNoTimestamp: the greeting has none, or none that is
// safe to use (P3-GRT-09, P3-APOP-09). MD5 protects the secret badly, so APOP
// needs TLS like any other login.
func (c *Client) APOP(ctx context.Context, name, secret string) error {
	if err := errors.Join(c.mayName(name), c.maySay(secret)); err != nil {
		return wrap("APOP", err)
	}
	if strings.Contains(name, " ") {
		return wrap("APOP", ErrUnsafe)
	}
	timestamp := c.timestamp
	if c.stale && c.opts.AllowStaleTimestamp {
		timestamp, _ = pop3.Timestamp(c.greeting.Text)
	}
	if timestamp == "" {
		return wrap("APOP", ErrNoTimestamp)
	}
	if !ascii(name) || !ascii(secret) { // P3-APOP-06
		var nameErr, secretErr error
		name, nameErr = sasl.PrepareName(name)
		secret, secretErr = sasl.PreparePassword(secret)
		if err := errors.Join(nameErr, secretErr); err != nil {
			return wrap("APOP", err)
		}
	}
	if _, err := c.command(ctx, "APOP", name, pop3.APOPDigest(timestamp, secret)); err != nil {
		return err
	}
	return c.loggedIn(ctx)
}
