package pop3client

import (
	"crypto/x509"

	"postfach/sasl"
)

// ChannelBindings returns what mechanisms whose names end in -PLUS can bind to
// on this connection, preferred first. None: there is no TLS.
func (c *Client) ChannelBindings() []sasl.ChannelBinding {
	if c.tls == nil {
		return nil
	}
	state := c.tls.ConnectionState()
	var server *x509.Certificate
	if len(state.PeerCertificates) > 0 {
		server = state.PeerCertificates[0]
	}
	return sasl.ClientBindings(&state, state.TLSUnique, server)
}
