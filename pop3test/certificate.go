package pop3test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"postfach/pop3"
)

// certificates are a server's: one that its clients should take, and others
// that they must refuse, all signed by the same root.
type certificates struct {
	roots                    *x509.CertPool
	root                     []byte // DER
	good, expired, wrongName tls.Certificate
	otherRoot                tls.Certificate // signed by a root that nobody trusts
}

// A Certificate is one that clients must refuse.
type Certificate string

// What is wrong with a certificate.
const (
	Expired     Certificate = "expired"      // a month ago
	WrongName   Certificate = "wrong-name"   // for another host
	UnknownRoot Certificate = "unknown-root" // signed by nobody that Server.Roots knows
)

func (c *certificates) bad(which Certificate) []tls.Certificate {
	switch which {
	case Expired:
		return []tls.Certificate{c.expired}
	case WrongName:
		return []tls.Certificate{c.wrongName}
	case UnknownRoot:
		return []tls.Certificate{c.otherRoot}
	}
	return nil // the handshake fails
}

// RootPEM returns the certificate of Server.Roots, for programs that read it
// from a file.
func (s *Server) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.root})
}

// config returns a fresh configuration with the good certificate.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c.good}, MinVersion: tls.VersionTLS12, NextProtos: []string{pop3.ALPN},
	}
}

func newCertificates() (*certificates, error) {
	root, rootKey, err := issue(template("Postfach test root", true), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	other, otherKey, err := issue(template("another root", true), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	expired := template("localhost", false)
	expired.NotBefore, expired.NotAfter = time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, -1, 0)
	wrong := template("pop.wrong-name.example", false)
	wrong.DNSNames, wrong.IPAddresses = []string{"pop.wrong-name.example"}, nil
	c := &certificates{roots: x509.NewCertPool(), root: root.Raw}
	c.roots.AddCert(root)
	for _, make := range []struct {
		to       *tls.Certificate
		template *x509.Certificate
		by       *x509.Certificate
		key      *ecdsa.PrivateKey
	}{
		{&c.good, template("localhost", false), root, rootKey},
		{&c.expired, expired, root, rootKey},
		{&c.wrongName, wrong, root, rootKey},
		{&c.otherRoot, template("localhost", false), other, otherKey},
	} {
		leaf, key, err := issue(make.template, make.by, make.key)
		if err != nil {
			return nil, fmt.Errorf("make a certificate: %w", err)
		}
		*make.to = tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	}
	return c, nil
}

// template is a certificate for loopback, or for a root.
func template(name string, root bool) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		BasicConstraintsValid: true, IsCA: root,
	}
	if root {
		t.KeyUsage = x509.KeyUsageCertSign
		return t
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	t.DNSNames = []string{"localhost"}
	t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return t
}

// issue signs a template. by nil: with its own key.
func issue(t, by *x509.Certificate, byKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if by == nil {
		by, byKey = t, key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, by, &key.PublicKey, byKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}
