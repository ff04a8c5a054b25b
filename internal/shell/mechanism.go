package shell

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"

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
	switch name {
	case sasl.Plain:
		return sasl.NewPlainClient("", user, secret), true
	case sasl.Login:
		return sasl.NewLoginClient(user, secret), true
	case sasl.CramMD5:
		return sasl.NewCramMD5Client(user, secret), true
	case sasl.OAuthBearer:
		return sasl.NewOAuthBearerClient(sasl.Bearer{User: user, Token: secret}), true
	case sasl.XOAuth2:
		return sasl.NewXOAuth2Client(user, secret), true
	case sasl.External:
		return sasl.NewExternalClient(user), true
	}
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		switch bindings := s.wire.bindings(); {
		case name == h.Mechanism(false):
			return sasl.NewScramClient(h, len(bindings) > 0 && s.lacks(h.Mechanism(true)), user, secret), true
		case name == h.Mechanism(true) && len(bindings) > 0:
			return sasl.NewScramPlusClient(h, bindings[0], user, secret), true
		}
	}
	return nil, false
}

// lacks says that CAPA has listed mechanisms, and not this one (P3-SCRAM-11).
func (s *session) lacks(name string) bool {
	all := s.caps.Mechanisms()
	return len(all) > 0 && !slices.ContainsFunc(all, func(m string) bool { return strings.EqualFold(m, name) })
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
