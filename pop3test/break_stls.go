package pop3test

import (
	"bytes"
	"crypto/tls"
)

func stlsFaults() []Fault {
	return []Fault{
		{
			Name: "tls-port-in-clear-each-second-time", Doc: "Each second connection to the port for TLS begins in clear, as if one of two servers there were set up wrong.", Rules: []string{"P3-TLS-01"},
			Accept: func(s *Session) { s.Unprotected = s.ImplicitTLS && s.Number%2 == 0 },
		},
		{
			Name: "tls-port-in-clear", Doc: "On the port for TLS a client that speaks in clear is answered in clear.", Rules: []string{"P3-TLS-01"},
			Accept: func(s *Session) {
				if s.ImplicitTLS {
					first, err := s.front.br.Peek(1)
					s.Unprotected = err == nil && first[0] != clientHello
				}
			},
		},
		{
			Name: "old-tls", Doc: "TLS 1.0 and 1.1 are negotiated.", Rules: []string{"P3-TLS-02"},
			TLS: func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 },
		},
		{
			Name: "stls-after-login", Doc: "STLS is permitted after the login.", Rules: []string{"P3-TLS-03"},
			Command: func(e *Exchange) bool {
				if !e.Is("STLS") || !e.LoggedIn || e.TLS {
					return false
				}
				e.Reply = "+OK begin TLS\r\n"
				return true
			},
		},
		{
			Name: "stls-in-tls", Doc: "STLS is taken although TLS is active.", Rules: []string{"P3-TLS-04"},
			Command: func(e *Exchange) bool {
				if !e.Is("STLS") || !e.TLS {
					return false
				}
				e.Reply = "+OK begin TLS\r\n"
				return true
			},
		},
		{
			Name: "keeps-clear-octets-behind-stls", Doc: "What came in clear behind STLS is obeyed in TLS.", Rules: []string{"P3-TLS-06"},
			Command: func(e *Exchange) bool {
				if e.Is("STLS") && !e.TLS {
					e.KeepClear = true
				}
				return false
			},
		},
		{
			Name: "keeps-half-a-command-behind-stls", Doc: "Whole lines behind STLS are dropped, but the beginning of one is completed in TLS.", Rules: []string{"P3-TLS-06"},
			Command: func(e *Exchange) bool {
				if e.Is("STLS") && !e.TLS {
					e.KeepClear = true
					e.dropLines()
				}
				return false
			},
		},
		{
			Name: "name-outlives-stls", Doc: "The name of a USER in clear is still known in TLS.", Rules: []string{"P3-TLS-09"},
			Command: func(e *Exchange) bool {
				if e.Is("USER") {
					e.Values["in-tls"] = e.TLS
				}
				if e.Is("PASS") && !e.LoggedIn && e.TLS && e.Values["in-tls"] == false {
					e.Ask("USER " + e.Name)
					e.Reply = e.Forward()
					return true
				}
				return false
			},
		},
		{
			Name: "failed-handshake-goes-on-in-clear", Doc: "When the handshake fails the session goes on in clear.", Rules: []string{"P3-TLS-10"},
			Command: func(e *Exchange) bool {
				if !e.Is("STLS") || e.TLS || e.LoggedIn {
					return false
				}
				e.Fallback = true
				e.Reply = "+OK begin TLS\r\n"
				return true
			},
		},
		{
			Name: "stls-announced-and-refused", Doc: "CAPA lists STLS, and the command fails.", Rules: []string{"P3-TLS-12"},
			Command: func(e *Exchange) bool {
				if !e.Is("STLS") || e.TLS {
					return false
				}
				e.Reply = "-ERR no certificate\r\n"
				return true
			},
		},
		{
			Name: "no-close-notify", Doc: "After QUIT the connection is closed without close_notify.", Rules: []string{"P3-TLS-17"},
			Command: func(e *Exchange) bool {
				tc, ok := e.front.client.(*tls.Conn)
				if !e.Is("QUIT") || !ok {
					return false
				}
				e.Write(e.Forward())
				tc.NetConn().Close()
				e.Hangup = true
				return true
			},
		},
		{
			Name: "alpn-ignored", Doc: "A client that speaks another protocol by ALPN gets TLS all the same.", Rules: []string{"P3-TLS-23"},
			TLS: func(c *tls.Config) { c.NextProtos = nil },
		},
		{
			Name: "certificate-for-another-name", Doc: "The certificate does not have the server's name.", Rules: []string{"P3-TLS-24"},
			Certificate: WrongName,
		},
	}
}

// dropLines loses the whole lines that have come with the last one.
func (s *Session) dropLines() {
	s.front.overhear()
	early, _ := s.front.br.Peek(s.front.br.Buffered())
	s.front.br.Discard(bytes.LastIndexByte(early, '\n') + 1)
	s.front.overheard = 0
}
