// Package pop3client is the client's end of POP3 (RFC 1939 and its
// extensions): one connection to one server. Methods carry the RFC's keywords.
// Messages are streams with exact octets; RetrAll keeps many commands on the
// way when the server announces PIPELINING.
//
// There are three kinds of errors. A *pop3.Error is a negative reply: the
// server said no, and the connection goes on. A *pop3.ProtocolError says that
// the server broke the grammar. It and all other errors of the network end the
// connection; ErrClosed is what later calls return.
//
// Credentials are written over TLS, to a loopback address, or when
// Options.AllowCleartext says so; never otherwise, whatever was asked for
// before. Tokens are written over TLS, or with AllowCleartext.
package pop3client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A Client is one connection. One goroutine uses it at a time.
type Client struct {
	opts   Options
	limits Limits
	id     string
	addr   string // that Dial was told; empty: it was not Dial

	t        *transport
	conn     net.Conn // t, or TLS over it
	tls      *tls.Conn
	local    bool // both ends are this machine
	r        *popwire.Reader
	bodyLine popwire.Strictness

	greeting  popwire.Reply
	timestamp string // APOP's; empty: none that can be trusted
	stale     bool   // the greeting came before STLS
	caps      pop3.Capabilities
	expires0  bool // EXPIRE 0 is what was last said of EXPIRE
	asked     bool // CAPA has been answered, maybe with -ERR
	skipCapa  bool // the server closes the connection when it hears CAPA
	utf8      bool
	state     pop3.State
	sizes     []pop3.ScanListing // of the last LIST, by number
	token     bool               // during a login with a token: the server may repeat it
	secrets   []string           // during a login: what must not come back in errors and traces

	busy bool  // a message or a pipeline is open
	err  error // why the connection is closed
}

// New reads the greeting on conn and asks for the capabilities. conn is taken
// as it is: TLS when it is a *tls.Conn, else in clear until STLS. The Client
// closes it, also when New fails. A greeting of -ERR is a *pop3.Error: a
// temporary refusal (P3-GRT-13). nil options are the zero value.
func New(ctx context.Context, conn net.Conn, opts *Options) (*Client, error) {
	c := newClient(conn, opts)
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func newClient(conn net.Conn, opts *Options) *Client {
	c := &Client{id: rand.Text()[:8]}
	if opts != nil {
		c.opts = *opts
	}
	c.limits = c.opts.Limits.withDefaults()
	if c.opts.LenientLineEnds {
		c.bodyLine = popwire.Lenient
	}
	c.t = newTransport(conn, c.opts.timeout())
	c.local = loopback(conn)
	c.tls, _ = conn.(*tls.Conn)
	c.use(c.t)
	return c
}

// use makes conn what is read and written from now on, with an empty buffer.
func (c *Client) use(conn net.Conn) {
	c.conn = conn
	c.r = popwire.NewReader(&watched{conn, c.t}, readBuffer)
	c.r.GiveUp = true
	if c.opts.Trace != nil {
		c.r.Tap = c.traceServer
	}
}

// start reads the greeting. Nothing is sent before it has come (P3-GRT-15).
func (c *Client) start(ctx context.Context) error {
	if c.tls != nil {
		c.traceTLS()
	}
	release := c.t.watch(ctx)
	var err error
	c.greeting, err = c.reply()
	c.end(release)
	if err != nil {
		c.shut(err)
		return wrap("greeting", err)
	}
	c.timestamp, _ = pop3.Timestamp(c.greeting.Text) // P3-GRT-09
	if err := c.refreshCapa(ctx); err != nil {
		c.shut(err)
		return err
	}
	return nil
}

// Greeting returns the text of the server's first line, without status and
// response code.
func (c *Client) Greeting() string { return c.greeting.Text }

// Capabilities returns what the server announced last: before login, after
// STLS, or after login. nil: it does not know CAPA.
func (c *Client) Capabilities() pop3.Capabilities { return c.caps }

// State returns the session's state as far as the client can know.
func (c *Client) State() pop3.State { return c.state }

// TLS returns the state of TLS. ok is false while the connection is in clear.
func (c *Client) TLS() (state tls.ConnectionState, ok bool) {
	if c.tls == nil {
		return state, false
	}
	return c.tls.ConnectionState(), true
}

// BeforeWait has f called whenever all that has come is used up, by the goroutine
// that uses the Client: more may be long in coming. f must not use the Client.
// nil: nobody is called any more.
func (c *Client) BeforeWait(f func()) { c.t.wait = f }

// Close closes the connection without QUIT: the server removes nothing
// (P3-ST-03). After Quit it does nothing.
func (c *Client) Close() error {
	if c.err != nil {
		return nil
	}
	c.shut(errors.New("closed by this side"))
	return nil
}

// shut closes the connection in an orderly way: over TLS with close_notify
// (P3-TLS-17).
func (c *Client) shut(reason error) {
	if c.err != nil {
		return
	}
	c.err = reason
	c.t.hurry()
	c.conn.Close() // what it says changes nothing: there is nothing more to send
	c.t.raw.Close()
}
