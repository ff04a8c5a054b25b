package pop3client

import "context"

// Rset takes all marks away (RFC 1939 section 5).
func (c *Client) Rset(ctx context.Context) error {
	_, err := c.command(ctx, "RSET")
	return err
}
