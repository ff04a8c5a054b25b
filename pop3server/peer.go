package pop3server

import (
	"crypto/tls"
	"net"
	"net/netip"

	"postfach/sasl"
)

// A Peer is what a server knows of the other end of a connection before
// somebody logs in there: what accounts decide by beside name and password.
type Peer struct {
	// Local and Remote are the ends of the connection. Behind a proxy that the
	// listener trusts they are the real ones.
	Local, Remote net.Addr
	// TLS is nil on a connection in clear. Its PeerCertificates are what the client
	// has shown; they have been verified if there are VerifiedChains.
	TLS *tls.ConnectionState
	// Session is what the log calls the connection. No other one has the same.
	Session string

	bindings []sasl.ChannelBinding
}

// Address returns the remote IP address, 4-in-6 unmapped and without a zone.
// Addresses that are no IP address, such as those of unix sockets, are the zero
// Addr.
func (p *Peer) Address() netip.Addr { return ipOf(p.Remote) }

// ChannelBindings returns what a mechanism can bind to on this connection,
// preferred first. None: no mechanism whose name ends in -PLUS works here.
func (p *Peer) ChannelBindings() []sasl.ChannelBinding { return p.bindings }

// peer is what accounts may know of the connection. It is made once, and again
// when TLS has begun.
func (s *session) peer() *Peer {
	if s.other != nil {
		return s.other
	}
	p := &Peer{Local: s.raw.LocalAddr(), Remote: s.raw.RemoteAddr(), Session: s.id}
	if s.tls != nil {
		state := s.tls.ConnectionState()
		p.TLS, p.bindings = &state, s.wire.channelBindings(&state)
	}
	s.other = p
	return p
}

func ipOf(a net.Addr) netip.Addr {
	tcp, ok := a.(interface{ AddrPort() netip.AddrPort }) // a *net.TCPAddr, or an address behind a proxy
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}
