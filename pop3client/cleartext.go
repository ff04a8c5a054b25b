package pop3client

import "postfach/sasl"

// mayWriteCredentials is asked whenever a credential is about to be written,
// and not only once at the start: nothing that a server said or refused
// before can change the answer (P3-TLS-11, P3-USR-08).
func (c *Client) mayWriteCredentials() error {
	if c.tls != nil || c.local || c.opts.AllowCleartext {
		return nil
	}
	return ErrCleartext
}

// mayAuth is mayWriteCredentials for a mechanism. A token is for TLS, on this
// machine, too: whoever reads it can use it elsewhere (P3-OAUTH-01).
func (c *Client) mayAuth(mechanism sasl.Client) error {
	if _, token := mechanism.(sasl.Refusable); token && c.tls == nil && !c.opts.AllowCleartext {
		return ErrCleartext
	}
	return c.mayWriteCredentials()
}
