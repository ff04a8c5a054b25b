package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// TLS says which certificates there are.
type TLS struct {
	// Certificate and Key are two PEM files: both, or none. They are for clients
	// that name no host, or one that nothing else is for.
	Certificate string `toml:"certificate" path:"file"`
	Key         string `toml:"key" path:"file"`
	// More are further pairs, chosen by the names in the certificates (SNI).
	More []Pair `toml:"more"`
	// ClientCA is a PEM file with the authorities whose client certificates are
	// asked for and taken. Empty: none are asked for.
	ClientCA string `toml:"client_ca" path:"file"`
	// ClientCRL is a file with the authorities' lists of certificates that are
	// taken no more. Empty: there is none.
	ClientCRL string `toml:"client_crl" path:"file"`
	// ACME gets certificates by itself.
	ACME ACME `toml:"acme"`
}

// A Pair is two PEM files.
type Pair struct {
	Certificate string `toml:"certificate" path:"file"`
	Key         string `toml:"key" path:"file"`
}

// ACME says how certificates come from an ACME server (RFC 8555). Without hosts,
// not at all.
type ACME struct {
	Hosts []string `toml:"hosts"` // each gets a certificate
	// Agree says that the operator agrees to the terms of the ACME server. Nothing
	// is asked of it before.
	Agree     bool   `toml:"agree"`
	Email     string `toml:"email"`     // where the ACME server may write to; empty: nowhere
	Directory string `toml:"directory"` // URL of the ACME server
	// CA is a PEM file with the root of an ACME server of the site's own. Empty: the
	// system's roots.
	CA string `toml:"ca" path:"file"`
	// Challenge is how the ACME server sees that a host is ours.
	Challenge Challenge `toml:"challenge"`
	// Listen is where the challenges HTTP01 and TLSALPN01 are answered. Empty: the
	// port that they come to, on all addresses.
	Listen string `toml:"listen"`
	// DNSHook is the program that changes the DNS, for DNS01, with its arguments.
	DNSHook []string `toml:"dns_hook" path:"program"`
	// DNSHookTimeout is how long one run of it may take.
	DNSHookTimeout Duration `toml:"dns_hook_timeout"`
}

// A Challenge is a way to show an ACME server that a host is ours.
type Challenge string

// The challenges (RFC 8555 section 8, RFC 8737).
const (
	HTTP01    Challenge = "http-01"
	TLSALPN01 Challenge = "tls-alpn-01"
	DNS01     Challenge = "dns-01"
)

// letsEncrypt is the directory of the ACME server that is asked by default.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// ListenAddress is where challenges are answered. Empty: nowhere.
func (a *ACME) ListenAddress() string {
	switch {
	case len(a.Hosts) == 0 || a.Challenge == DNS01:
		return ""
	case a.Listen != "":
		return a.Listen
	case a.Challenge == TLSALPN01:
		return ":443"
	}
	return ":80"
}

func (c *Config) checkTLS(d *document) error {
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		return hint.Add(d.wrong("tls", "expected both certificate and key"), "without the two, the certificate in the data folder is used")
	}
	for i, p := range c.TLS.More {
		if p.Certificate == "" || p.Key == "" {
			return hint.Add(d.wrong(fmt.Sprintf("tls.more.%d", i), "expected both certificate and key"), "each [[tls.more]] is one pair of PEM files")
		}
	}
	if c.TLS.ClientCRL != "" && c.TLS.ClientCA == "" {
		return hint.Add(d.wrong("tls.client_crl", "expected client_ca, too"), "without authorities no client certificate is asked for")
	}
	return nil
}

func (c *Config) checkACME(d *document) error {
	a := &c.TLS.ACME
	for i, host := range a.Hosts {
		path := fmt.Sprintf("tls.acme.hosts.%d", i)
		wildcard := strings.HasPrefix(host, "*.")
		name := strings.TrimPrefix(host, "*.")
		switch {
		case IsHostname(name) && !strings.Contains(name, "."):
			return hint.Add(d.wrong(path, "%s has no dot", host), "ACME servers sign whole names: mail.example.org, and not mail")
		case !IsHostname(name):
			return hint.Add(d.wrong(path, "expected host names"), `as in ["mail.example.org", "pop.example.org"]`)
		case wildcard && a.Challenge != DNS01:
			return hint.Add(d.wrong(path, `%s needs challenge = "dns-01"`, host), "no other challenge shows that a whole domain is yours")
		case slices.ContainsFunc(a.Hosts[:i], func(other string) bool { return strings.EqualFold(other, host) }):
			return hint.Add(d.wrong(path, "%s is there already", host), "each host gets one certificate")
		}
	}
	if directory, err := url.Parse(a.Directory); err != nil || directory.Scheme != "https" || directory.Host == "" {
		return hint.Add(d.wrong("tls.acme.directory", "expected an address that begins with https://"), "leave the key out to ask Let's Encrypt")
	}
	if strings.ContainsFunc(a.Email, func(r rune) bool { return r <= ' ' || r > '~' }) || a.Email != "" && !strings.Contains(a.Email, "@") {
		return hint.Add(d.wrong("tls.acme.email", "expected a mail address"), `as in "postmaster@example.org", or leave the key out`)
	}
	switch {
	case !slices.Contains([]Challenge{HTTP01, TLSALPN01, DNS01}, a.Challenge):
		return hint.Add(d.wrong("tls.acme.challenge", `expected "http-01", "tls-alpn-01" or "dns-01"`), "docs/tls.md says which one fits")
	case a.Challenge == DNS01 && len(a.DNSHook) == 0:
		return hint.Add(d.wrong("tls.acme.dns_hook", `expected a program, for challenge = "dns-01"`), `as in dns_hook = ["/usr/local/bin/change-dns"]`)
	case a.Challenge != DNS01 && len(a.DNSHook) > 0:
		return hint.Add(d.wrong("tls.acme.dns_hook", `is for challenge = "dns-01" only`), "remove one of the two keys")
	case a.Challenge == DNS01 && a.Listen != "":
		return hint.Add(d.wrong("tls.acme.listen", `is not for challenge = "dns-01"`), "remove the key")
	}
	if a.Listen != "" {
		if _, err := splitAddress(a.Listen); err != nil {
			return hint.Add(d.wrong("tls.acme.listen", "expected host:port"), `":80" for all addresses`)
		}
	}
	if a.DNSHookTimeout.Duration <= 0 {
		return hint.Add(d.wrong("tls.acme.dns_hook_timeout", "expected more than nothing"), "the program has to reach the DNS server")
	}
	if len(a.Hosts) == 0 && !reflect.DeepEqual(*a, Default().TLS.ACME) {
		return hint.Add(d.wrong("tls.acme.hosts", "expected at least one"), "without hosts no ACME server is asked, whatever else is said: name them, or remove the section")
	}
	if len(a.Hosts) > 0 && !a.Agree {
		return hint.Add(d.wrong("tls.acme.agree", "expected true"), "read the terms of service of %s and agree to them: agree = true", a.Directory)
	}
	return nil
}
