package pop3client

import (
	"cmp"
	"context"
	"slices"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// List returns number and size of each message that is not marked (RFC 1939
// section 5). Sizes are hints: the end of a message is its terminator
// (P3-MSG-10). RetrAll uses those of the last List.
func (c *Client) List(ctx context.Context) ([]pop3.ScanListing, error) {
	var list []pop3.ScanListing
	err := c.commandLines(ctx, "LIST", func(line string) error {
		l, ok := popwire.ParseScanListing(line) // P3-LIST-07
		if !ok || l.Number < 1 {
			return &pop3.ProtocolError{Want: "number and size", Got: line}
		}
		list = append(list, l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.remember(list)
	return list, nil
}

// ListOne returns the size of message n.
func (c *Client) ListOne(ctx context.Context, n int) (pop3.ScanListing, error) {
	num, err := number(n)
	if err != nil {
		return pop3.ScanListing{}, wrap("LIST", err)
	}
	r, err := c.command(ctx, "LIST", num) // one line: P3-MLT-05
	if err != nil {
		return pop3.ScanListing{}, err
	}
	l, ok := popwire.ParseScanListing(r.Text)
	if !ok || l.Number != n {
		return l, wrap("LIST", c.fail(&pop3.ProtocolError{Want: "number " + num + " and size", Got: r.Text}))
	}
	return l, nil
}

// remember keeps the sizes as hints for RETR.
func (c *Client) remember(list []pop3.ScanListing) {
	c.sizes = slices.Clone(list)
	slices.SortFunc(c.sizes, byNumber)
}

// announced returns what LIST said about message n; -1 without an answer.
func (c *Client) announced(n int) int64 {
	if i := n - 1; i >= 0 && i < len(c.sizes) && c.sizes[i].Number == n { // mostly all are there
		return c.sizes[i].Size
	}
	i, ok := slices.BinarySearchFunc(c.sizes, pop3.ScanListing{Number: n}, byNumber)
	if !ok {
		return -1
	}
	return c.sizes[i].Size
}

func byNumber(a, b pop3.ScanListing) int { return cmp.Compare(a.Number, b.Number) }
