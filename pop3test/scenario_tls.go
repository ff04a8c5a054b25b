package pop3test

import (
	"crypto/tls"
	"errors"
)

func tlsScenarios() []Scenario {
	return []Scenario{
		{Name: "stls-stripped", Doc: "STLS is not there.", Security: "stls", Faults: []Fault{without("STLS")}},
		{Name: "stls-refused", Doc: "STLS is announced and refused.", Security: "stls", Faults: []Fault{{
			Name: "stls-refused",
			Command: func(e *Exchange) bool {
				e.Reply = "-ERR [SYS/TEMP] no TLS at the moment\r\n"
				return e.Is("STLS")
			},
		}}},
		{Name: "stls-broken", Doc: "The handshake after STLS fails.", Security: "stls", Faults: []Fault{{
			Name: "stls-broken",
			TLS: func(conf *tls.Config) {
				conf.Certificates = nil
				conf.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("no certificate") }
			},
		}}},
		{Name: "stls-injected", Doc: "A line in clear comes behind the reply to STLS.", Security: "stls", Faults: []Fault{{
			Name: "stls-injected",
			Command: func(e *Exchange) bool {
				if !e.Is("STLS") {
					return false
				}
				e.Reply = e.Forward() + "+OK this was said without TLS\r\n"
				return true
			},
		}}},
		{Name: "capa-lies", Doc: "CAPA announces SASL mechanisms and PIPELINING only before TLS.", Security: "stls", Faults: []Fault{edited("capa-lies", func(e *Exchange) {
			if !e.TLS {
				e.announceNot("SASL")
				e.announce("SASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256")
				return
			}
			e.announceNot("SASL", "PIPELINING")
		})}},
		{Name: "old-tls", Doc: "The server speaks no TLS above 1.1.", Security: "stls", Faults: []Fault{{
			Name: "old-tls",
			TLS:  func(conf *tls.Config) { conf.MinVersion, conf.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		}}},
		{Name: "wrong-name", Doc: "The certificate is for another name.", Security: "tls", Faults: []Fault{{Name: "wrong-name", Certificate: WrongName}}},
		{Name: "wrong-name-stls", Doc: "The certificate is for another name, with STLS.", Security: "stls", Faults: []Fault{{Name: "wrong-name-stls", Certificate: WrongName}}},
		{Name: "expired", Doc: "The certificate has expired.", Security: "tls", Faults: []Fault{{Name: "expired", Certificate: Expired}}},
		{Name: "unknown-root", Doc: "Nobody knows who signed the certificate.", Security: "tls", Faults: []Fault{{Name: "unknown-root", Certificate: UnknownRoot}}},
	}
}
