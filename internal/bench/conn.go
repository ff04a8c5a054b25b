package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A conn is the client's end of a connection. It sends and reads octets in large
// pieces, and judges replies by their first ones.
type conn struct {
	net.Conn             // TLS's, where there is TLS
	tcp         net.Conn // what is beneath it
	buf         []byte   // buf[r:w] has been received and not yet taken
	r, w        int
	out         []byte // room for commands
	timeout     time.Duration
	until       time.Time // the deadline of tcp
	forgetClose func() bool
}

// open connects, and reads the greeting. buf and out are the conn's until it is closed.
func (t *Target) open(ctx context.Context, conf *tls.Config, buf, out []byte) (*conn, error) {
	d := net.Dialer{Timeout: t.Timeout, KeepAlive: -1}
	tcp, err := d.DialContext(ctx, "tcp", t.Addr)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: tcp, tcp: tcp, buf: buf, out: out, timeout: t.Timeout}
	c.forgetClose = context.AfterFunc(ctx, func() { tcp.Close() })
	if err := c.begin(t.Security, conf); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *conn) begin(s Security, conf *tls.Config) error {
	if s == TLS {
		if err := c.startTLS(conf); err != nil {
			return err
		}
	}
	if _, err := c.reply("the greeting"); err != nil {
		return err
	}
	if s != STLS {
		return nil
	}
	if _, err := c.exchange("STLS"); err != nil {
		return err
	}
	if c.r != c.w {
		return &pop3.ProtocolError{Want: "nothing behind the reply to STLS", Got: popwire.Shorten(c.buf[c.r:c.w])}
	}
	return c.startTLS(conf)
}

func (c *conn) startTLS(conf *tls.Config) error {
	c.setDeadline()
	t := tls.Client(c.tcp, conf)
	if err := t.Handshake(); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.Conn = t
	return nil
}

// resumed reports whether the TLS handshake was a short one.
func (c *conn) resumed() bool {
	t, ok := c.Conn.(*tls.Conn)
	return ok && t.ConnectionState().DidResume
}

// close ends the connection without a word: TLS's last one would meet a socket that is
// closed.
func (c *conn) close() {
	c.forgetClose()
	c.tcp.Close()
}

// setDeadline gives the other end time until something moves: timeout, and up to a tenth more.
// So a short session has one deadline. To move it each time would cost the client, and wake
// threads of it, where it is the server that is to be measured.
func (c *conn) setDeadline() {
	now := time.Now()
	if c.until.Sub(now) < c.timeout {
		c.until = now.Add(c.timeout + c.timeout/10)
		c.tcp.SetDeadline(c.until)
	}
}

// fill receives more. A buffer that is full without a line end in it is an error.
func (c *conn) fill() error {
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.w == len(c.buf) && c.r == 0:
		return popwire.ErrLineTooLong
	case c.w == len(c.buf):
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	c.setDeadline()
	n, err := c.Conn.Read(c.buf[c.w:])
	c.w += n
	switch {
	case n > 0:
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// line returns the next line without its line end. It is valid until the next call.
func (c *conn) line() ([]byte, error) {
	for from := c.r; ; {
		if i := bytes.IndexByte(c.buf[from:c.w], '\n'); i >= 0 {
			line := c.buf[c.r : from+i]
			c.r = from + i + 1
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			return line, nil
		}
		taken := c.w - c.r
		if err := c.fill(); err != nil {
			return nil, err
		}
		from = c.r + taken
	}
}

// reply reads a reply's first line, and returns its text. Anything but +OK is an error.
func (c *conn) reply(to string) (text []byte, err error) {
	line, err := c.line()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", to, err)
	}
	if !isOK(line) {
		return nil, fmt.Errorf("%s: %w", to, refusal(line))
	}
	return bytes.TrimPrefix(line[len("+OK"):], []byte{' '}), nil
}

// isOK reports whether a reply's first line says yes.
func isOK(line []byte) bool {
	text, ok := bytes.CutPrefix(line, []byte("+OK"))
	return ok && (len(text) == 0 || text[0] == ' ')
}

// refusal is the error that a first line is which does not say yes.
func refusal(line []byte) error {
	r, err := popwire.ParseReply(line, popwire.Strict)
	if err != nil {
		return err
	}
	return &pop3.Error{Code: r.Code, Text: r.Text}
}

// exchange sends a command, and returns the text of its reply.
func (c *conn) exchange(keyword string, args ...string) (text []byte, err error) {
	out, err := popwire.AppendCommand(c.out[:0], popwire.CommandFor(keyword, args...))
	if err == nil {
		err = c.send(out)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyword, err)
	}
	return c.reply(keyword)
}

func (c *conn) send(p []byte) error {
	c.out = p[:0]
	c.setDeadline()
	_, err := c.Conn.Write(p)
	return err
}

// login is USER and PASS.
func (c *conn) login(user, password string) error {
	if _, err := c.exchange("USER", user); err != nil {
		return err
	}
	_, err := c.exchange("PASS", password)
	return err
}

// quit ends the session, and waits until the server has closed the connection: who
// closes first has to keep the port for a minute, and a load runs out of ports.
func (c *conn) quit() (answered time.Time, err error) {
	_, err = c.exchange("QUIT")
	answered = time.Now()
	if err != nil {
		return answered, err
	}
	if err := c.ended(); err != nil {
		return answered, err
	}
	return answered, nil
}

// ended waits for the end of the connection.
func (c *conn) ended() error {
	if c.r == c.w {
		if err := c.fill(); errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the end of the connection: %w", err)
		}
	}
	return &pop3.ProtocolError{Want: "nothing behind the reply to QUIT", Got: popwire.Shorten(c.buf[c.r:c.w])}
}

// A train is commands of which several are on the way.
type train struct {
	n, window int
	command   func(dst []byte, i int) []byte // adds the command of that index
	reply     func(i int) error              // reads its reply
	stop      func() bool                    // nil: never; true: no further command is sent
}

// run sends the train's commands, and returns how many were answered. It writes half a
// window at a time, so that commands are not sent one by one.
func (c *conn) run(t train) (answered int, err error) {
	for sent := 0; answered < t.n; answered++ {
		if sent-answered <= t.window/2 && sent < t.n {
			if t.stop != nil && t.stop() {
				t.n = sent
			}
			out := c.out[:0]
			for ; sent < t.n && sent-answered < t.window; sent++ {
				out = t.command(out, sent)
			}
			if len(out) > 0 {
				if err := c.send(out); err != nil {
					return answered, err
				}
			}
			if answered == t.n {
				break
			}
		}
		if err := t.reply(answered); err != nil {
			return answered, err
		}
	}
	return answered, nil
}
