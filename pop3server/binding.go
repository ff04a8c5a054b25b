package pop3server

import (
	"crypto/tls"
	"crypto/x509"

	"postfach/sasl"
)

// A wire is what package tls has for the network. It remembers the certificate
// that the server showed on it, which a tls.Conn does not tell;
// tls-server-end-point is made of it.
type wire struct {
	*tlsInput
	shown *tls.Certificate // nil: none yet, or TLS was resumed
}

// rememberCertificate makes configuration c leave the certificate of each
// handshake in its wire. It chooses as package tls does.
func rememberCertificate(c *tls.Config) {
	ask, own := c.GetCertificate, c.Certificates
	choose := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if len(hello.ServerName) > longestHost { // it stays as long as the connection
			return nil, errHost
		}
		if ask != nil && (len(own) == 0 || hello.ServerName != "") {
			if cert, err := ask(hello); cert != nil || err != nil {
				return cert, err
			}
		}
		if len(own) == 0 {
			return nil, nil // package tls knows what to say then
		}
		for i := range own {
			if hello.SupportsCertificate(&own[i]) == nil {
				return &own[i], nil
			}
		}
		return &own[0], nil
	}
	c.Certificates = nil // else GetCertificate would not be asked when there is no SNI
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := choose(aboveWire(hello))
		if w, ok := hello.Conn.(*wire); ok {
			w.shown = cert
		}
		return cert, err
	}
}

// aboveWire is hello as the operator's functions expect it: with the connection
// that the listener accepted.
func aboveWire(hello *tls.ClientHelloInfo) *tls.ClientHelloInfo {
	w, ok := hello.Conn.(*wire)
	if !ok {
		return hello
	}
	as := *hello
	as.Conn = w.Conn
	return &as
}

// leaf is the server's certificate, nil if it is not known.
func (w *wire) leaf() *x509.Certificate {
	if w.shown == nil {
		return nil
	}
	if w.shown.Leaf != nil {
		return w.shown.Leaf
	}
	if len(w.shown.Certificate) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(w.shown.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

// channelBindings are what the connection can be bound to: tls-exporter, which
// TLS 1.2 has with extended master secret only (P3-SCRAM-14); tls-unique, up to
// TLS 1.2 (P3-SCRAM-13, P3-SCRAM-16); tls-server-end-point, where the certificate
// allows it (P3-SCRAM-15, AMB-15). Which one the server showed when a session that
// is resumed began nobody knows: it may have another one now.
func (w *wire) channelBindings(state *tls.ConnectionState) []sasl.ChannelBinding {
	var all []sasl.ChannelBinding
	if b, ok := sasl.ExporterBinding(state); ok {
		all = append(all, b)
	}
	if len(state.TLSUnique) > 0 { // package tls leaves it out where it is not safe
		all = append(all, sasl.ChannelBinding{Type: sasl.TLSUnique, Data: state.TLSUnique})
	}
	if leaf := w.leaf(); leaf != nil && !state.DidResume {
		if b, ok := sasl.EndPointBinding(leaf); ok {
			all = append(all, b)
		}
	}
	return all
}
