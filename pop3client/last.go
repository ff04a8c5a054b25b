package pop3client

import (
	"context"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// Last returns the highest message number retrieved, 0 for none (RFC 1460
// section 5). The command is historic; few servers know it, and UIDL is the
// way to tell new mail (P3-LAST-06).
func (c *Client) Last(ctx context.Context) (int, error) {
	r, err := c.command(ctx, "LAST")
	if err != nil {
		return 0, err
	}
	word, _, _ := strings.Cut(r.Text, " ")
	n, ok := popwire.ParseMessageNumber(word)
	if !ok {
		return 0, wrap("LAST", c.fail(&pop3.ProtocolError{Want: "a number", Got: r.Text}))
	}
	return n, nil
}
