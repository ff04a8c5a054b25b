package config

import (
	"fmt"
	"slices"
	"strings"

	"postfach/internal/hint"
	"postfach/sasl"
)

// mechanisms are those that can be listed. A -PLUS comes with the one before it.
var mechanisms = []string{
	sasl.Plain, sasl.Login, sasl.External, sasl.ScramSHA256, sasl.ScramSHA1,
	sasl.OAuthBearer, sasl.XOAuth2, sasl.CramMD5,
}

// Offers reports whether a SASL mechanism may be offered, as far as the list of
// them says: without one, all may that need no list.
func (c *Config) Offers(mechanism string) bool {
	if len(c.Mechanisms) == 0 {
		return mechanism != sasl.Login && mechanism != sasl.CramMD5
	}
	return slices.Contains(c.Mechanisms, mechanism)
}

// checkMechanisms looks at the list of SASL mechanisms.
func (c *Config) checkMechanisms(d *document) error {
	var errs []error
	for i, name := range c.Mechanisms {
		path := fmt.Sprintf("mechanisms.%d", i)
		base, plus := strings.CutSuffix(name, "-PLUS")
		switch {
		case plus && slices.Contains(mechanisms, base):
			errs = append(errs, hint.Add(d.wrong(path, "%s is offered with %s", name, base), "list %s: where the connection has TLS, its -PLUS is there, too", base))
		case !slices.Contains(mechanisms, name):
			errs = append(errs, hint.Add(d.wrong(path, "%q is no mechanism here", name), "there are %s, in capital letters", strings.Join(mechanisms, ", ")))
		case slices.Contains(c.Mechanisms[:i], name):
			errs = append(errs, hint.Add(d.wrong(path, "%s is there twice", name), "remove one of the two"))
		case name == sasl.External && c.TLS.ClientCA == "":
			errs = append(errs, hint.Add(d.wrong(path, "EXTERNAL needs client certificates"), "set tls.client_ca, too"))
		case (name == sasl.OAuthBearer || name == sasl.XOAuth2) && c.OIDC.Issuer == "":
			errs = append(errs, hint.Add(d.wrong(path, "%s needs somebody who makes tokens", name), "set oidc.issuer, too"))
		case name == sasl.Login && !slices.Contains(c.Mechanisms, sasl.Plain):
			errs = append(errs, hint.Add(d.wrong(path, "LOGIN is offered beside PLAIN only"), "list PLAIN, too: it says the same in one line"))
		case name == sasl.CramMD5:
			c.warn(d, path, "CRAM-MD5 needs secrets that the server can read, as APOP does; SCRAM does not")
		}
	}
	if slices.Contains(c.Mechanisms, sasl.OAuthBearer) != slices.Contains(c.Mechanisms, sasl.XOAuth2) {
		errs = append(errs, hint.Add(d.wrong("mechanisms", "expected both OAUTHBEARER and XOAUTH2, or none of them"), "clients that have one often lack the other, and a token is worth the same in both"))
	}
	if c.ClientCertificateNames && c.TLS.ClientCA == "" {
		errs = append(errs, hint.Add(d.wrong("client_certificate_names", "the server asks for no certificates"), "set tls.client_ca, too"))
	}
	return hint.Join(errs...)
}
