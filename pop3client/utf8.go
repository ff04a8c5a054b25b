package pop3client

import "context"

// UTF8 asks for messages in their original UTF-8 form (RFC 6856 section 2).
// It works before login only, and STLS does not work after it (P3-TLS-22). A
// *pop3.Error says that the server stays with ASCII (P3-UTF-02).
func (c *Client) UTF8(ctx context.Context) error {
	if _, err := c.command(ctx, "UTF8"); err != nil {
		return err
	}
	c.utf8 = true
	return nil
}
