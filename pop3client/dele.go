package pop3client

import (
	"context"
	"iter"

	"postfach/internal/popwire"
)

// Dele marks message n as deleted. It goes at Quit, and only then (RFC 1939
// section 5).
func (c *Client) Dele(ctx context.Context, n int) error {
	num, err := number(n)
	if err != nil {
		return wrap("DELE", err)
	}
	_, err = c.exchange(ctx, popwire.CommandFor("DELE", num))
	return wrap("DELE "+num, err)
}

// DeleAll marks many messages, pipelined when the server announces it, and
// yields each number with its outcome, in order. A *pop3.Error concerns that
// message alone; any other error is the last thing that is yielded. Send it
// only for messages that are stored safely (P3-PIPE-07).
func (c *Client) DeleAll(ctx context.Context, numbers []int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		p := &pipeline{c: c, keyword: "DELE", numbers: numbers}
		p.run(ctx, func(n int, err error) bool { return yield(n, err) })
	}
}
