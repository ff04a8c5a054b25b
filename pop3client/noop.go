package pop3client

import "context"

// Noop does nothing but show that both ends are there (RFC 1939 section 5).
func (c *Client) Noop(ctx context.Context) error {
	_, err := c.command(ctx, "NOOP")
	return err
}
