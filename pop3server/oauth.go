package pop3server

import (
	"context"
	"fmt"
	"net"
	"strings"

	"postfach/pop3"
	"postfach/sasl"
)

// tokenRefusal is nil where bearer tokens may be said: in TLS and nowhere else,
// because whoever has one can use it elsewhere, too (P3-OAUTH-01).
func (s *session) tokenRefusal() error {
	if s.srv.Tokens == nil {
		return noMechanism()
	}
	return s.inClear()
}

// beginToken is OAUTHBEARER (RFC 7628) or XOAUTH2, which differ in how the token
// is written.
func beginToken(newServer func(check func(sasl.Bearer) error) sasl.Server) func(*session, *exchange) sasl.Server {
	return func(s *session, x *exchange) sasl.Server {
		return newServer(func(b sasl.Bearer) error {
			x.name = b.User
			if err := x.decide(s.checkToken(b)); err != nil {
				return fmt.Errorf("%w: %w", err, s.tokenError(err))
			}
			return nil
		})
	}
}

// tokenError is what a client hears that has to get another token, or has to come
// back later.
func (s *session) tokenError(err error) *sasl.TokenError {
	if !isRefused(err) {
		return &sasl.TokenError{Status: "temporarily_unavailable"} // RFC 6749
	}
	configuration, scope := s.srv.Tokens.Discovery()
	return &sasl.TokenError{Scope: scope, Configuration: configuration}
}

// checkToken asks the TokenSource, with the name prepared.
func (s *session) checkToken(b sasl.Bearer) (Identity, error) {
	if !s.isHere(b) {
		return Identity{}, ErrCredentials
	}
	name, err := prepareIdentity(b.User)
	if err != nil {
		return Identity{}, err
	}
	return s.attempt(name, b.Token, func(ctx context.Context) (Identity, error) {
		return s.srv.Tokens.Token(ctx, s.peer(), name, b.Token)
	})
}

// isHere reports whether a token was meant for this server, as far as the server
// knows what it is called: the host by TLS, and the port when it is one of those
// that POP3 has. Behind other ports there is often something that maps them
// (P3-OAUTH-04).
func (s *session) isHere(b sasl.Bearer) bool {
	host := s.peer().TLS.ServerName
	port := 0
	if tcp, ok := s.raw.LocalAddr().(*net.TCPAddr); ok && (tcp.Port == pop3.Port || tcp.Port == pop3.PortTLS) {
		port = tcp.Port
	}
	same := func(a, b string) bool {
		return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
	}
	if (b.Host == "" || host == "" || same(b.Host, host)) && (b.Port == 0 || port == 0 || b.Port == port) {
		return true
	}
	s.log().Warn("token for another server", "host", loggable(b.Host), "port", b.Port)
	return false
}
