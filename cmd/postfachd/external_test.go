package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/datafolder"
)

// An authority signs client certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clients"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return &authority{t, cert, key}
}

// file writes the authority's certificate.
func (a *authority) file(name string) {
	a.t.Helper()
	must(a.t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o644))
}

// sign returns a client certificate and its fingerprint.
func (a *authority) sign(commonName string) (tls.Certificate, string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: commonName},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	must(a.t, err)
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, hex.EncodeToString(sum[:])
}

func TestClientCertificatesLogIn(t *testing.T) {
	data, dir := newData(t), tempDir(t)
	name := filepath.Join(dir, "f.toml")
	serveIn(t, data).end() // the first account
	ours := newAuthority(t)
	ours.file(filepath.Join(dir, "ca.pem"))
	mine, fingerprint := ours.sign("a laptop")
	named, _ := ours.sign("postfach")
	accounts := datafolder.Folder(data).Accounts()
	content, err := os.ReadFile(accounts)
	must(t, err)
	write := func(extra string) {
		must(t, os.WriteFile(accounts, []byte(strings.TrimSuffix(string(content), "\n")+extra+"\n"), 0o600))
		giveToOwner(t, data)
	}
	write("cert=" + fingerprint)
	configured(t, name, "[tls]\nclient_ca = \"ca.pem\"")
	p := serveIn(t, data, "--config", name)
	dial := func(certs ...tls.Certificate) *client {
		t.Helper()
		conn, err := tls.Dial("tcp", p.address("pop3s"), &tls.Config{RootCAs: pool(t, data), ServerName: "localhost", Certificates: certs})
		must(t, err)
		c := newClient(t, conn)
		c.line()
		return c
	}
	for _, c := range []struct {
		what    string
		cert    []tls.Certificate
		command string
		want    string
	}{
		{"its certificate", []tls.Certificate{mine}, "AUTH EXTERNAL =", "+OK"},
		{"its certificate, by name", []tls.Certificate{mine}, "AUTH EXTERNAL cG9zdGZhY2g=", "+OK"}, // postfach
		{"its certificate, as another", []tls.Certificate{mine}, "AUTH EXTERNAL cm9vdA==", "-ERR"}, // root
		{"another certificate", []tls.Certificate{named}, "AUTH EXTERNAL =", "-ERR"},
		{"none", nil, "AUTH EXTERNAL =", "-ERR"},
	} {
		client := dial(c.cert...)
		if got := client.say(c.command); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", c.what, got)
		}
		client.say("QUIT")
	}
	// Beside the password.
	write("client_cert=required cert=" + fingerprint)
	password := firstPassword(t, data)
	for what, certs := range map[string][]tls.Certificate{"none": nil, "another": {named}, "its own": {mine}} {
		c := dial(certs...)
		c.say("USER postfach")
		if got, want := c.say("PASS "+password), what == "its own"; strings.HasPrefix(got, "+OK") != want {
			t.Errorf("password with certificate %s: %s", what, got)
		}
		c.say("QUIT")
	}
	p.end()
}
