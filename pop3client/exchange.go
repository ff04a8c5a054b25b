package pop3client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// begin makes sure that a command can be sent now and that ctx can end it. end
// must follow.
func (c *Client) begin(ctx context.Context) (release func(), err error) {
	switch {
	case c.err != nil:
		return nil, fmt.Errorf("%w: %w", ErrClosed, c.err)
	case c.busy:
		return nil, ErrBusy
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case c.r.Buffered() > 0:
		// It came with an earlier reply and answers nothing. From here on each
		// reply would be taken for another one's, and its first line for a
		// message's.
		return nil, c.fail(&pop3.ProtocolError{Want: "one reply to each command"})
	}
	return c.t.watch(ctx), nil
}

// end is begin's twin. What was answered in full stands, even when ctx ended
// the connection a moment later.
func (c *Client) end(release func()) {
	release()
	if cause := c.t.cause.Load(); cause != nil && c.err == nil {
		c.err = *cause
	}
}

// fail ends the connection and returns the reason: what ended it first.
func (c *Client) fail(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	case errors.Is(err, popwire.ErrLineTooLong):
		err = &pop3.ProtocolError{Want: "a shorter line"}
	}
	c.t.abort(err)
	if c.err == nil {
		c.err = *c.t.cause.Load()
	}
	return c.err
}

// send writes one command. A value that cannot be part of a command is an
// error before anything is written (P3-SYN-26).
func (c *Client) send(cmd popwire.Command) error {
	line, err := appendCommand(nil, cmd)
	if err != nil {
		return err
	}
	return c.write(line)
}

func appendCommand(dst []byte, cmd popwire.Command) ([]byte, error) {
	n := len(dst)
	dst, err := popwire.AppendCommand(dst, cmd)
	if err != nil {
		return dst[:n], err
	}
	if len(dst)-n > popwire.MaxCommand {
		return dst[:n], ErrTooLong
	}
	return dst, nil
}

// write sends whole command lines.
func (c *Client) write(lines []byte) error {
	c.traceCommands(lines)
	if _, err := c.conn.Write(lines); err != nil {
		return c.fail(err)
	}
	return nil
}

// reply reads the first line of a reply. -ERR is a *pop3.Error; any other
// error has ended the connection.
func (c *Client) reply() (popwire.Reply, error) {
	line, err := c.line(c.limits.Line)
	if err != nil {
		return popwire.Reply{}, err
	}
	return c.parseReply(line)
}

func (c *Client) parseReply(line []byte) (popwire.Reply, error) {
	if len(c.secrets) > 0 { // before anything is cut: a part of a secret would not be found any more
		line = []byte(c.hide(string(line)))
	}
	r, err := popwire.ParseReply(line, popwire.Lenient) // P3-SYN-28
	if err != nil {
		return r, c.fail(err)
	}
	if !r.OK {
		return r, &pop3.Error{Code: r.Code, Text: r.Text}
	}
	return r, nil
}

// line reads a line, all of it within the time limit.
func (c *Client) line(limit int) ([]byte, error) {
	if !c.r.LineBuffered() {
		c.t.expect()
	}
	line, err := c.r.ReadLine(limit)
	if err != nil {
		return nil, c.fail(err)
	}
	return line, nil
}

// listing reads the lines of a short multi-line reply. An error of each says
// that a line breaks the grammar; it ends the connection.
func (c *Client) listing(each func(line string) error) error {
	left := c.limits.Listing
	for {
		if !c.r.LineBuffered() {
			c.t.expect()
		}
		line, done, err := c.r.ReadDataLine(c.limits.Line)
		if err != nil {
			return c.fail(err)
		}
		if done {
			return nil
		}
		const lineCost = 16
		if left -= int64(len(line)) + lineCost; left < 0 {
			return c.fail(&pop3.ProtocolError{Want: "a shorter listing"})
		}
		if err := each(string(line)); err != nil {
			return c.fail(err)
		}
	}
}

// command sends a command whose reply is one line, and returns the reply.
func (c *Client) command(ctx context.Context, keyword string, args ...string) (popwire.Reply, error) {
	r, err := c.exchange(ctx, popwire.CommandFor(keyword, args...))
	return r, wrap(keyword, err)
}

func (c *Client) exchange(ctx context.Context, cmd popwire.Command) (popwire.Reply, error) {
	release, err := c.begin(ctx)
	if err != nil {
		return popwire.Reply{}, err
	}
	defer c.end(release)
	return c.roundTrip(cmd)
}

// roundTrip sends a command and reads the first line of its reply, between
// begin and end.
func (c *Client) roundTrip(cmd popwire.Command) (popwire.Reply, error) {
	if err := c.send(cmd); err != nil {
		return popwire.Reply{}, err
	}
	return c.reply()
}

// commandLines is command for a multi-line reply.
func (c *Client) commandLines(ctx context.Context, keyword string, each func(line string) error) error {
	release, err := c.begin(ctx)
	if err != nil {
		return wrap(keyword, err)
	}
	defer c.end(release)
	if _, err := c.roundTrip(popwire.CommandFor(keyword)); err != nil {
		return wrap(keyword, err)
	}
	return wrap(keyword, c.listing(each))
}

// number spells a message number, which is at least 1 (P3-SYN-21).
func number(n int) (string, error) {
	if n < 1 {
		return "", fmt.Errorf("message number %d: %w", n, ErrUnsafe)
	}
	return strconv.Itoa(n), nil
}

// hide takes the credentials out of what the server says about them.
func (c *Client) hide(text string) string {
	const short = 4 // what is shorter would show itself by the gaps it leaves
	for _, secret := range c.secrets {
		if len(secret) >= short {
			text = strings.ReplaceAll(text, secret, popwire.Secret)
		}
	}
	return text
}
