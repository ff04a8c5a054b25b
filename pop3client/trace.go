package pop3client

import (
	"bytes"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// traceCommands shows command lines without their secrets (P3-USR-12).
func (c *Client) traceCommands(lines []byte) {
	if c.opts.Trace == nil {
		return
	}
	for line := range bytes.Lines(lines) {
		c.trace(true, popwire.EndLine(popwire.Redact(popwire.TrimLine(line))))
	}
}

// traceSecret stands for a line that is nothing but a secret.
func (c *Client) traceSecret() {
	if c.opts.Trace != nil {
		c.trace(true, popwire.EndLine([]byte(popwire.Secret)))
	}
}

// traceServer shows what the server said, in a login without what is secret in
// challenges.
func (c *Client) traceServer(octets []byte) {
	if len(c.secrets) > 0 || c.token {
		octets = []byte(c.hide(string(popwire.RedactChallenge(octets, c.token))))
	}
	c.trace(false, octets)
}

// traceTLS says that TLS has begun.
func (c *Client) traceTLS() {
	if c.opts.Trace != nil {
		c.opts.Trace(pop3.TraceEvent{Session: c.id, Time: time.Now(), TLS: true})
	}
}

func (c *Client) trace(client bool, octets []byte) {
	c.opts.Trace(pop3.TraceEvent{Session: c.id, Time: time.Now(), Client: client, Octets: octets})
}
