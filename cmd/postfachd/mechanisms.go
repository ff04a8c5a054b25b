package main

import (
	"slices"

	"postfach/internal/accounts"
	"postfach/internal/config"
	"postfach/pop3server"
	"postfach/sasl"
)

// scramHashes are those of the mechanisms that the configuration lists. nil: it
// lists none, and what all accounts can use is offered.
func scramHashes(cfg *config.Config) []sasl.ScramHash {
	if len(cfg.Mechanisms) == 0 {
		return nil
	}
	hashes := []sasl.ScramHash{}
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		if cfg.Offers(h.Mechanism(false)) {
			hashes = append(hashes, h)
		}
	}
	return hashes
}

// offered are the mechanisms that the configuration offers and no account decides on.
func offered(cfg *config.Config, who *accounts.Directory) []string {
	var names []string
	for _, m := range []struct {
		name string
		has  bool
	}{
		{sasl.Plain, true},
		{sasl.Login, true},
		{sasl.External, cfg.TLS.ClientCA != ""},
		{sasl.OAuthBearer, who.Tokens != nil},
		{sasl.XOAuth2, who.Tokens != nil},
		{sasl.CramMD5, true},
	} {
		if m.has && cfg.Offers(m.name) {
			names = append(names, m.name)
		}
	}
	return names
}

// letIn gives a server the ways to log in that the configuration offers.
func (d *daemon) letIn(s *pop3server.Server) {
	who := d.accounts
	names := offered(d.cfg, who.Directory)
	has := func(mechanism string) bool { return slices.Contains(names, mechanism) }
	s.APOP = who
	if has(sasl.Plain) {
		s.Auth, s.Login = who, has(sasl.Login)
	}
	if d.cfg.Offers(sasl.ScramSHA256) || d.cfg.Offers(sasl.ScramSHA1) {
		s.SCRAM = who
	}
	if has(sasl.External) {
		s.Certificates = who
	}
	if has(sasl.OAuthBearer) {
		s.Tokens = who
	}
	if has(sasl.CramMD5) {
		s.CRAM = who
	}
	s.LoggedIn = d.noteLogin
}
