package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs client certificates.
type Authority struct {
	CAFile string // its own certificate, PEM
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	dir    string
	serial int64
	gone   []x509.RevocationListEntry
}

// NewAuthority makes one in a folder of the test.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir(), key: newECDSA(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Postfach test clients"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	a.cert = a.sign(t, template, template, &a.key.PublicKey)
	a.CAFile = a.write(t, "ca.pem", "CERTIFICATE", a.cert.Raw)
	return a
}

// A ClientCertificate is one that an Authority has signed.
type ClientCertificate struct {
	tls.Certificate
	CertFile, KeyFile string // PEM
}

// Sign makes a certificate with this common name.
func (a *Authority) Sign(t testing.TB, name string) *ClientCertificate {
	t.Helper()
	a.serial++
	key := newECDSA(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1000 + a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	leaf := a.sign(t, template, a.cert, &key.PublicKey)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &ClientCertificate{
		Certificate: tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf},
		CertFile:    a.write(t, name+".pem", "CERTIFICATE", leaf.Raw),
		KeyFile:     a.write(t, name+".key", "PRIVATE KEY", pkcs8),
	}
}

// Revoke returns a file with the list of all that were revoked so far.
func (a *Authority) Revoke(t testing.TB, certs ...*ClientCertificate) string {
	t.Helper()
	for _, c := range certs {
		a.gone = append(a.gone, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now()})
	}
	a.serial++
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(a.serial), ThisUpdate: a.cert.NotBefore, NextUpdate: a.cert.NotAfter, RevokedCertificateEntries: a.gone,
	}, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return a.write(t, "crl.pem", "X509 CRL", list)
}

func (a *Authority) sign(t testing.TB, template, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a *Authority) write(t testing.TB, name, kind string, der []byte) string {
	t.Helper()
	name = filepath.Join(a.dir, name)
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func newECDSA(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
