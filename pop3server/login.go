package pop3server

import "postfach/sasl"

// loginRefusal is nil where LOGIN works: in TLS, if the operator wants it
// (P3-AUTH-33).
func (s *session) loginRefusal() error {
	if s.srv.Auth == nil || !s.srv.Login {
		return noMechanism()
	}
	return s.inClear()
}

// beginLogin is LOGIN: name and password, each as the answer to a challenge.
func (s *session) beginLogin(x *exchange) sasl.Server {
	return sasl.NewLoginServer(func(name, password string) error {
		x.name = name
		return x.decide(s.checkPassword("", name, password))
	})
}
