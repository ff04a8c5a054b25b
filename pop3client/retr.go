package pop3client

import (
	"context"
	"iter"

	"postfach/internal/popwire"
)

// Retr begins to receive message n (RFC 1939 section 5). Until the Message has
// been read to its end or closed, all other calls return ErrBusy. ctx holds
// until then.
func (c *Client) Retr(ctx context.Context, n int) (*Message, error) {
	return c.message(ctx, "RETR", n)
}

// RetrAll receives these messages, in this order, with many RETR on the way
// when the server announces PIPELINING, one at a time when not (P3-PIPE-04).
// Each Message is valid until the next is asked for.
//
// An error concerns the Message beside it, which has its Number and nothing
// else. A *pop3.Error leaves the others alone (P3-PIPE-02); any other error is
// the last thing that is yielded. To stop early costs the connection when more
// than Limits.Drain is on its way.
func (c *Client) RetrAll(ctx context.Context, numbers []int) iter.Seq2[*Message, error] {
	return c.messages(ctx, &pipeline{c: c, keyword: "RETR", numbers: numbers, multi: true, size: c.announced})
}

// message begins to receive what one command asks for.
func (c *Client) message(ctx context.Context, keyword string, n int, more ...string) (*Message, error) {
	num, err := number(n)
	if err != nil {
		return nil, wrap(keyword, err)
	}
	release, err := c.begin(ctx)
	if err != nil {
		return nil, wrap(keyword, err)
	}
	if _, err = c.roundTrip(popwire.CommandFor(keyword, append([]string{num}, more...)...)); err != nil {
		c.end(release)
		return nil, wrap(keyword+" "+num, err)
	}
	c.busy = true
	return c.open(n, release), nil
}

// messages runs a pipeline whose replies are messages.
func (c *Client) messages(ctx context.Context, p *pipeline) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		p.run(ctx, func(n int, err error) bool {
			m := c.open(n, nil)
			if err != nil {
				m.err = err
				return yield(m, err)
			}
			defer m.Close()
			return yield(m, nil)
		})
	}
}
