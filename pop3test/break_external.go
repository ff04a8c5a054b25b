package pop3test

import "crypto/tls"

func externalFaults() []Fault {
	return []Fault{
		{
			Name: "client-certificate-asked-for", Doc: "The handshake asks for a client certificate that is good for nothing.", Rules: []string{"P3-EXT-01"},
			TLS: func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert },
		},
		{
			Name: "client-certificate-logs-in", Doc: "A client certificate alone begins the TRANSACTION state.", Rules: []string{"P3-EXT-02"},
			TLS: func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert },
			Command: func(e *Exchange) bool {
				if !e.LoggedIn && e.Values["certificate"] == nil && e.hasCertificate() {
					e.Values["certificate"] = true
					e.letIn(User)
					e.LoggedIn = true
				}
				return external(false).command(e)
			},
		},
		{
			Name: "external-without-certificate", Doc: "EXTERNAL lets in without a client certificate.", Rules: []string{"P3-EXT-03"},
			Command: external(true).command,
		},
	}
}

// hasCertificate reports whether the client has shown one.
func (s *Session) hasCertificate() bool {
	tc, ok := s.front.client.(*tls.Conn)
	return ok && len(tc.ConnectionState().PeerCertificates) > 0
}

// external plays EXTERNAL. Whoever has a certificate is the account that every
// server has; anybody, if it believes.
func external(believes bool) mechanisms {
	return mechanisms{
		announced: func(*Session) string { return "PLAIN EXTERNAL" },
		begin: func(_ *Session, mechanism string) conversation {
			if mechanism != "EXTERNAL" {
				return nil
			}
			return func(s *Session, response []byte) string {
				switch {
				case response == nil:
					return "+ \r\n"
				case !believes && !s.hasCertificate():
					return "-ERR [AUTH] no certificate\r\n"
				case len(response) > 0 && s.password(string(response)) != "":
					return s.letIn(string(response))
				}
				return s.letIn(User)
			}
		},
	}
}
