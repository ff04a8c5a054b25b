package accounts

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"

	"postfach/internal/hint"
)

// Roots reads the authorities that a server's certificate is verified against from a
// PEM file. Without a name it returns nil, which stands for those of the system.
func Roots(name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, hint.Add(fmt.Errorf("%s: there is no certificate in it", name), "expected a PEM file")
	}
	return roots, nil
}

// Loopback reports whether a host is this machine, so that what is sent there in clear
// crosses no network.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
