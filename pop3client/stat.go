package pop3client

import (
	"context"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// Stat returns how many messages there are, and their octets. Marked messages
// do not count (RFC 1939 section 5).
func (c *Client) Stat(ctx context.Context) (pop3.DropListing, error) {
	r, err := c.command(ctx, "STAT")
	if err != nil {
		return pop3.DropListing{}, err
	}
	l, ok := popwire.ParseDropListing(r.Text) // P3-STAT-04
	if !ok {
		return l, wrap("STAT", c.fail(&pop3.ProtocolError{Want: "count and size", Got: r.Text}))
	}
	return l, nil
}
