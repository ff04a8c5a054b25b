package sasl

import (
	"crypto"
	"crypto/x509"
)

// A ChannelBinding ties an exchange to the TLS connection that it runs on, so
// that nobody in the middle can pass it on (RFC 5056). It holds octets that both
// ends know and nobody else can choose.
type ChannelBinding struct {
	Type string
	Data []byte
}

// The types of channel bindings.
const (
	TLSExporter       = "tls-exporter"         // RFC 9266
	TLSServerEndPoint = "tls-server-end-point" // RFC 5929 section 4
	TLSUnique         = "tls-unique"           // RFC 5929 section 3; TLS 1.2 only
)

// A TLSState is a *tls.ConnectionState: what it is asked for here.
type TLSState interface {
	ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error)
}

// ClientBindings returns what a client can bind to, preferred first: tls-unique
// on TLS 1.2 and tls-exporter on TLS 1.3 (P3-SCRAM-13), and what else there is.
// unique is the state's TLSUnique, which TLS 1.3 has not; server is the server's
// certificate, and may be nil.
func ClientBindings(state TLSState, unique []byte, server *x509.Certificate) []ChannelBinding {
	var all []ChannelBinding
	if len(unique) > 0 {
		all = append(all, ChannelBinding{TLSUnique, unique})
	}
	if b, ok := ExporterBinding(state); ok {
		all = append(all, b)
	}
	if server == nil {
		return all
	}
	if b, ok := EndPointBinding(server); ok {
		all = append(all, b)
	}
	return all
}

// exporterOctets is how long tls-exporter is (P3-SCRAM-14).
const exporterOctets = 32

// ExporterBinding returns tls-exporter (RFC 9266) of a connection; state is a
// *tls.ConnectionState. ok is false when the connection has none: in TLS 1.2
// without extended master secret, and where renegotiation is allowed.
func ExporterBinding(state TLSState) (b ChannelBinding, ok bool) {
	// Empty, as RFC 9266 says: to TLS 1.2 that is something else than none.
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, exporterOctets)
	return ChannelBinding{Type: TLSExporter, Data: data}, err == nil && len(data) == exporterOctets
}

// EndPointBinding returns tls-server-end-point (RFC 5929 section 4) of the
// server's own certificate. ok is false when the certificate's signature has not
// exactly one hash, as with Ed25519 (AMB-15).
func EndPointBinding(server *x509.Certificate) (b ChannelBinding, ok bool) {
	h, ok := endPointHash(server.SignatureAlgorithm)
	if !ok {
		return ChannelBinding{}, false
	}
	digest := h.New()
	digest.Write(server.Raw)
	return ChannelBinding{Type: TLSServerEndPoint, Data: digest.Sum(nil)}, true
}

// endPointHash is the hash of a signature, MD5 and SHA-1 replaced (P3-SCRAM-15).
func endPointHash(signature x509.SignatureAlgorithm) (h crypto.Hash, ok bool) {
	switch signature {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256, x509.DSAWithSHA256:
		return crypto.SHA256, true
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return crypto.SHA384, true
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return crypto.SHA512, true
	}
	return 0, false
}
