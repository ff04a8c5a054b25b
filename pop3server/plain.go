package pop3server

import "postfach/sasl"

// plainRefusal is nil where passwords may be said (P3-PLAIN-05).
func (s *session) plainRefusal() error {
	if s.srv.Auth == nil {
		return noMechanism()
	}
	return s.insecure()
}

// beginPlain is PLAIN (RFC 4616).
func (s *session) beginPlain(x *exchange) sasl.Server {
	return sasl.NewPlainServer(func(identity, name, password string) error {
		x.name = name
		return x.decide(s.checkPassword(identity, name, password))
	})
}
