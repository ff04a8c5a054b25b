package pop3client

import (
	"context"
	"errors"
	"fmt"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// Quit ends the session; after login this is what removes the marked messages
// (RFC 1939 section 6). It always closes the connection. nil: they are gone.
// A *pop3.Error: some may be left. ErrQuitUnknown: the reply did not come, and
// nobody knows (P3-UPD-07).
func (c *Client) Quit(ctx context.Context) error {
	release, err := c.begin(ctx)
	if err != nil {
		return wrap("QUIT", err)
	}
	defer c.end(release)
	_, err = c.roundTrip(popwire.CommandFor("QUIT"))
	var no *pop3.Error
	if err != nil && !errors.As(err, &no) {
		return fmt.Errorf("%w: %w", ErrQuitUnknown, err)
	}
	if c.state == pop3.Transaction {
		c.state = pop3.Update
	}
	c.shut(errors.New("QUIT has been sent"))
	return wrap("QUIT", err)
}
