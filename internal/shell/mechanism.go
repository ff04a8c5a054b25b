package shell

import (
	"crypto/tls"
	"crypto/x509"

	"postfach/sasl"
)

// mechanismNames are those that the shell can run, sorted.
func mechanismNames() []string {
	return []string{
		sasl.CramMD5, sasl.External, sasl.Login, sasl.OAuthBearer, sasl.Plain,
		sasl.ScramSHA1, sasl.ScramSHA1Plus, sasl.ScramSHA256, sasl.ScramSHA256Plus, sasl.XOAuth2,
	}
}

// mechanism makes the client's end. secret is a password or a token. false: the
// person answers by hand, as with -PLUS where there is nothing to bind to.
func (s *session) mechanism(name, user, secret string) (sasl.Client, bool) {
	m, err := sasl.NewClient(name, sasl.Params{
		User: user, Secret: secret, Host: s.o.Target.Host, Port: s.o.Target.Port,
		Bindings: s.wire.bindings(), Announced: s.caps.Mechanisms(),
	})
	return m, err == nil
}

// bindings are what the connection can be bound to.
func (w *wire) bindings() []sasl.ChannelBinding {
	conn, ok := w.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	state := conn.ConnectionState()
	var server *x509.Certificate
	if len(state.PeerCertificates) > 0 {
		server = state.PeerCertificates[0]
	}
	return sasl.ClientBindings(&state, state.TLSUnique, server)
}
