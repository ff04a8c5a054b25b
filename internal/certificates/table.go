package certificates

import (
	"crypto/ecdsa"
	"crypto/tls"
	"slices"
	"strings"
)

// A table finds certificates by name.
type table struct {
	all    []*pair
	names  map[string][]*tls.Certificate // "*.example.org" stands for itself
	others []*tls.Certificate            // when no name fits
}

func newTable(all []*pair) table {
	t := table{all: all, names: map[string][]*tls.Certificate{}}
	for _, p := range all {
		for _, name := range p.cert.Leaf.DNSNames {
			name = canonical(name)
			t.names[name] = append(t.names[name], p.cert)
		}
	}
	// The twin of the default pair, with a key of another kind, stands in for it.
	names := namesOf(all[0])
	for _, p := range all {
		if p == all[0] || slices.Equal(names, namesOf(p)) {
			t.others = append(t.others, p.cert)
		}
	}
	for _, certs := range t.names {
		fastFirst(certs)
	}
	fastFirst(t.others)
	return t
}

func namesOf(p *pair) []string {
	var names []string
	for _, name := range p.cert.Leaf.DNSNames {
		names = append(names, canonical(name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fastFirst puts ECDSA keys before others: they cost a tenth of an RSA key, and
// clients that cannot use them get the next one.
func fastFirst(certs []*tls.Certificate) {
	rank := func(c *tls.Certificate) int {
		if _, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey); ok {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(certs, func(a, b *tls.Certificate) int { return rank(a) - rank(b) })
}

// forName returns the certificate that is for a name and that the client can
// use. nil: there is none.
func (t table) forName(name string, hello *tls.ClientHelloInfo) *tls.Certificate {
	for _, n := range []string{name, wildcard(name)} {
		if c := usable(t.names[n], hello); c != nil {
			return c
		}
	}
	return nil
}

// byDefault returns the certificate for clients that name nothing that is known.
func (t table) byDefault(hello *tls.ClientHelloInfo) *tls.Certificate {
	if c := usable(t.others, hello); c != nil {
		return c
	}
	return t.all[0].cert // the handshake says what is wrong
}

// usable returns the first certificate that the client can use. Names have been
// looked at before.
func usable(certs []*tls.Certificate, hello *tls.ClientHelloInfo) *tls.Certificate {
	unnamed := *hello
	unnamed.ServerName = ""
	for _, c := range certs {
		if unnamed.SupportsCertificate(c) == nil {
			return c
		}
	}
	return nil
}

// canonical is a host name as names are compared.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// wildcard is what a certificate for all names beside this one has (P3-TLS-15).
func wildcard(name string) string {
	_, parent, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	return "*." + parent
}
