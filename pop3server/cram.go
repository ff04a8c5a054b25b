package pop3server

import "postfach/sasl"

// cramRefusal is nil where CRAM-MD5 works: where passwords do, since a digest in
// clear can be tried against at home, and while some account has a secret.
func (s *session) cramRefusal() error {
	if s.srv.CRAM == nil || !s.srv.CRAM.Available() {
		return noMechanism()
	}
	return s.insecure()
}

// beginCram is CRAM-MD5 (RFC 2195). Its challenge is made like the timestamp of a
// greeting, and no other has the same (P3-CRAM-01).
func (s *session) beginCram(x *exchange) sasl.Server {
	return sasl.NewCramMD5Server(s.srv.newTimestamp(), func(name string, fits func(secret string) bool) error {
		x.name = name
		return x.decide(s.checkSecret(s.srv.CRAM, name, fits))
	})
}
