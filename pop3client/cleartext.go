package pop3client

import (
	"postfach/internal/popwire"
	"postfach/sasl"
)

// mayWriteCredentials is asked whenever a credential is about to be written,
// and not only once at the start: nothing that a server said or refused
// before can change the answer (P3-TLS-11, P3-USR-08).
func (c *Client) mayWriteCredentials() error {
	return c.mayWrite(false)
}

// mayAuth is mayWriteCredentials for a mechanism.
func (c *Client) mayAuth(mechanism sasl.Client) error { return c.mayWrite(takesToken(mechanism)) }

func (c *Client) mayWrite(token bool) error {
	if (popwire.Way{TLS: c.tls != nil, Local: c.local, AllowCleartext: c.opts.AllowCleartext}).MayCarry(token) {
		return nil
	}
	return ErrCleartext
}

// takesToken reports whether a mechanism's secret is a bearer token.
func takesToken(mechanism sasl.Client) bool {
	_, ok := mechanism.(sasl.Refusable)
	return ok
}
