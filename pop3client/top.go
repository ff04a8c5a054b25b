package pop3client

import (
	"context"
	"fmt"
	"iter"
	"strconv"
)

// Top begins to receive the header of message n and the first lines of its
// body (RFC 1939 section 7). It is like Retr in all else; Size is that of the
// whole message.
func (c *Client) Top(ctx context.Context, n, lines int) (*Message, error) {
	if lines < 0 {
		return nil, wrap("TOP", fmt.Errorf("%d lines: %w", lines, ErrUnsafe))
	}
	return c.message(ctx, "TOP", n, strconv.Itoa(lines))
}

// TopAll is RetrAll for TOP.
func (c *Client) TopAll(ctx context.Context, numbers []int, lines int) iter.Seq2[*Message, error] {
	return c.messages(ctx, &pipeline{c: c, keyword: "TOP", numbers: numbers, multi: true, more: []string{strconv.Itoa(max(lines, 0))}})
}
