package pop3client

// mayWriteCredentials is asked whenever a credential is about to be written,
// and not only once at the start: nothing that a server said or refused
// before can change the answer (P3-TLS-11, P3-USR-08).
func (c *Client) mayWriteCredentials() error {
	if c.tls != nil || c.local || c.opts.AllowCleartext {
		return nil
	}
	return ErrCleartext
}
