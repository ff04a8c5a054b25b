package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// A Domain is a policy for all accounts whose name ends in "@" and its name, or
// for all accounts there are when that is "*".
type Domain struct {
	Name string `toml:"name"`

	POP3                     *bool    `toml:"pop3"`     // nil: true
	Networks                 []string `toml:"networks"` // empty: all
	RequireTLS               bool     `toml:"require_tls"`
	RequireClientCertificate bool     `toml:"require_client_certificate"`
	AppPasswordsOnly         bool     `toml:"app_passwords_only"`
}

func (c *Config) checkDomains(d *document) error {
	first := map[string]bool{}
	for i, domain := range c.Domains {
		path := fmt.Sprintf("domain.%d", i)
		switch name := domain.Name; {
		case name != AllDomains && (!IsHostname(name) || strings.ToLower(name) != name):
			return hint.Add(d.wrong(path+".name", "expected a domain in small letters"), `what stands behind the @ of user names, or "*" for all accounts`)
		case first[name]:
			return hint.Add(d.wrong(path+".name", "%s has a section already", name), "put both into one")
		case domain.RequireClientCertificate && c.TLS.ClientCA == "":
			return hint.Add(d.wrong(path+".require_client_certificate", "nobody could log in: the server asks for no certificates"), "set tls.client_ca, too")
		}
		first[domain.Name] = true
		for j, network := range domain.Networks {
			if !isNetwork(network) {
				return hint.Add(d.wrong(fmt.Sprintf("%s.networks.%d", path, j), "expected a network"), `"10.0.0.0/8", "2001:db8::/32", one address, or "local" for what comes without one`)
			}
		}
	}
	return nil
}

// AllDomains is the name of the section that holds for all accounts.
const AllDomains = "*"

func isNetwork(text string) bool {
	_, err := netip.ParsePrefix(text)
	if strings.Contains(text, "/") {
		return err == nil
	}
	a, err := netip.ParseAddr(text)
	return text == "local" || err == nil && a.Zone() == ""
}

// The names of mechanisms: here, because this package knows no others of ours.
const (
	mechPlain       = "PLAIN"
	mechLogin       = "LOGIN"
	mechExternal    = "EXTERNAL"
	mechScramSHA256 = "SCRAM-SHA-256"
	mechScramSHA1   = "SCRAM-SHA-1"
	mechOAuthBearer = "OAUTHBEARER"
	mechXOAuth2     = "XOAUTH2"
	mechCramMD5     = "CRAM-MD5"
)

var mechanisms = []string{mechPlain, mechLogin, mechExternal, mechScramSHA256, mechScramSHA1, mechOAuthBearer, mechXOAuth2, mechCramMD5}

// Offers reports whether a SASL mechanism may be offered, as far as the list of
// them says: without one, all may that need no list.
func (c *Config) Offers(mechanism string) bool {
	if len(c.Mechanisms) == 0 {
		return mechanism != mechLogin && mechanism != mechCramMD5
	}
	return slices.Contains(c.Mechanisms, mechanism)
}

// checkMechanisms looks at the list of SASL mechanisms.
func (c *Config) checkMechanisms(d *document) error {
	for i, name := range c.Mechanisms {
		path := fmt.Sprintf("mechanisms.%d", i)
		base, plus := strings.CutSuffix(name, "-PLUS")
		switch {
		case plus && slices.Contains(mechanisms, base):
			return hint.Add(d.wrong(path, "%s is offered with %s", name, base), "list %s: where the connection has TLS, its -PLUS is there, too", base)
		case !slices.Contains(mechanisms, name):
			return hint.Add(d.wrong(path, "%q is no mechanism here", name), "there are %s, in capital letters", strings.Join(mechanisms, ", "))
		case slices.Contains(c.Mechanisms[:i], name):
			return hint.Add(d.wrong(path, "%s is there twice", name), "remove one of the two")
		case name == mechExternal && c.TLS.ClientCA == "":
			return hint.Add(d.wrong(path, "EXTERNAL needs client certificates"), "set tls.client_ca, too")
		case (name == mechOAuthBearer || name == mechXOAuth2) && c.OIDC.Issuer == "":
			return hint.Add(d.wrong(path, "%s needs somebody who makes tokens", name), "set oidc.issuer, too")
		case name == mechLogin && !slices.Contains(c.Mechanisms, mechPlain):
			return hint.Add(d.wrong(path, "LOGIN is offered beside PLAIN only"), "list PLAIN, too: it says the same in one line")
		case name == mechCramMD5:
			c.warn(d, path, "CRAM-MD5 needs secrets that the server can read, as APOP does; SCRAM does not")
		}
	}
	if slices.Contains(c.Mechanisms, mechOAuthBearer) != slices.Contains(c.Mechanisms, mechXOAuth2) {
		return hint.Add(d.wrong("mechanisms", "expected both OAUTHBEARER and XOAUTH2, or none of them"), "clients that have one often lack the other, and a token is worth the same in both")
	}
	if c.ClientCertificateNames && c.TLS.ClientCA == "" {
		return hint.Add(d.wrong("client_certificate_names", "the server asks for no certificates"), "set tls.client_ca, too")
	}
	return nil
}
