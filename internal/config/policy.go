package config

import (
	"fmt"
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
	var errs []error
	first := map[string]bool{}
	for i, domain := range c.Domains {
		path := fmt.Sprintf("domain.%d", i)
		switch name := domain.Name; {
		case name != allDomains && (!IsHostname(name) || strings.ToLower(name) != name):
			errs = append(errs, hint.Add(d.wrong(path+".name", "expected a domain in small letters"), `what stands behind the @ of user names, or "*" for all accounts`))
		case first[name]:
			errs = append(errs, hint.Add(d.wrong(path+".name", "%s has a section already", name), "put both into one"))
		case domain.RequireClientCertificate && c.TLS.ClientCA == "":
			errs = append(errs, hint.Add(d.wrong(path+".require_client_certificate", "nobody could log in: the server asks for no certificates"), "set tls.client_ca, too"))
		}
		first[domain.Name] = true
		for j, network := range domain.Networks {
			if !isNetwork(network) {
				errs = append(errs, hint.Add(d.wrong(fmt.Sprintf("%s.networks.%d", path, j), "expected a network"), `"10.0.0.0/8", "2001:db8::/32", one address, or "local" for what comes without one`))
			}
		}
	}
	return hint.Join(errs...)
}

// allDomains is the name of the section that holds for all accounts.
const allDomains = "*"

func isNetwork(text string) bool {
	_, err := parseNetwork(text)
	return text == "local" || err == nil
}
