package remotes

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"postfach/internal/hint"
	"postfach/pop3client"
)

// Options returns what pop3client needs. An error is about CAFile, ClientCert, Pin or
// TokenCommand, and what does not go with them.
func (a *Account) Options() (*pop3client.Options, error) {
	if err := a.usage(); err != nil {
		return nil, err
	}
	o := &pop3client.Options{
		Security: a.security(), AllowCleartext: a.AllowCleartext && !a.URL.TLS,
		TLS: &tls.Config{},
	}
	pin, err := ParsePin(a.Pin)
	if err != nil {
		return nil, hint.Add(err, pinHint)
	}
	pin.Apply(o.TLS)
	if o.TLS.Certificates, err = a.certificate(); err != nil {
		return nil, err
	}
	if a.CAFile == "" {
		return o, nil
	}
	o.TLS.RootCAs, err = Roots(a.CAFile)
	if err != nil && a.CAFileAt != "" {
		err = fmt.Errorf("%s: %w", a.CAFileAt, err)
	}
	if err != nil {
		return nil, hint.Add(err, "the file must hold the certificates to trust, in PEM form")
	}
	return o, nil
}

// usage refuses what cannot be, whether a file or flags say it.
func (a *Account) usage() error {
	clear := a.AllowCleartext && !a.URL.TLS && !a.STLS
	switch {
	case a.misusesToken():
		return hint.Add(fmt.Errorf("a token, and %s, which takes none", a.Auth()), tokenHint)
	case clear && a.Pin != "":
		return hint.Add(errors.New("a pin, and no TLS"), "a pin is for TLS: leave --allow-cleartext out")
	case clear && a.ClientCert != "":
		return hint.Add(errors.New("a client certificate, and no TLS"), "a certificate is for TLS: leave --allow-cleartext out")
	}
	return nil
}

// certificate is the client's. It is shown to servers that ask for one, which
// crypto/tls sees to.
func (a *Account) certificate() ([]tls.Certificate, error) {
	if a.ClientCert == "" {
		return nil, nil
	}
	pair, err := ClientCertificate(a.ClientCert, a.ClientKey)
	if err != nil && a.ClientCertAt != "" {
		err = fmt.Errorf("%s: %w", a.ClientCertAt, err)
	}
	if err != nil {
		return nil, hint.Add(err, "client certificate and key must be PEM files, and the key without a passphrase")
	}
	return []tls.Certificate{pair}, nil
}

// ClientCertificate reads a certificate and its key from PEM files. No key file:
// the key is in the same one.
func ClientCertificate(certFile, keyFile string) (tls.Certificate, error) {
	return tls.LoadX509KeyPair(certFile, cmp.Or(keyFile, certFile))
}

// security decides how the connection is protected. There is no "if possible",
// and a pin and a client certificate are for TLS.
func (a *Account) security() pop3client.Security {
	switch {
	case a.URL.TLS:
		return pop3client.ImplicitTLS
	case !a.STLS && a.Pin == "" && a.ClientCert == "" && (loopback(a.URL.Host) || a.AllowCleartext):
		return pop3client.Cleartext
	}
	return pop3client.RequireSTLS
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Roots reads the certificates of a PEM file.
func Roots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM form", file)
	}
	return roots, nil
}
