package pop3client

import (
	"context"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// UIDL returns number and unique-id of each message that is not marked (RFC
// 1939 section 7). Ids come as the server sent them, legal or not, and may
// repeat (P3-UIDL-10, P3-UIDL-11). An empty one says that the server gave the
// message none.
func (c *Client) UIDL(ctx context.Context) ([]pop3.IDListing, error) {
	list := make([]pop3.IDListing, 0, len(c.sizes)) // as many as List has found, mostly
	err := c.commandLines(ctx, "UIDL", func(line string) error {
		l, ok := parseID(line)
		if !ok {
			return &pop3.ProtocolError{Want: "number and unique-id", Got: line}
		}
		list = append(list, l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// UIDLOne returns the unique-id of message n.
func (c *Client) UIDLOne(ctx context.Context, n int) (pop3.IDListing, error) {
	num, err := number(n)
	if err != nil {
		return pop3.IDListing{}, wrap("UIDL", err)
	}
	r, err := c.command(ctx, "UIDL", num)
	if err != nil {
		return pop3.IDListing{}, err
	}
	l, ok := parseID(r.Text)
	if !ok || l.Number != n {
		return l, wrap("UIDL", c.fail(&pop3.ProtocolError{Want: "number " + num + " and unique-id", Got: r.Text}))
	}
	return l, nil
}

// parseID also takes what servers in use send: "+OK" in front of each line,
// and a number without an id.
func parseID(line string) (pop3.IDListing, bool) {
	line = strings.TrimPrefix(line, "+OK ")
	l, ok := popwire.ParseIDListing(line)
	if !ok {
		l.Number, ok = popwire.ParseMessageNumber(strings.Trim(line, " "))
	}
	return l, ok && l.Number > 0
}
