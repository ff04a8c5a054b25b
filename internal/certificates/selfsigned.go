package certificates

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"

	"postfach/internal/vfs"
)

// MakeSelfSigned makes a certificate for localhost and a host name, where there
// is neither of the two files.
func MakeSelfSigned(files Pair, host string, now time.Time) error {
	if exists(files.Certificate) || exists(files.Key) {
		return nil
	}
	cert, key, err := SelfSigned(host, now)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	// The key first: a certificate without its key would stop the next start.
	if err := vfs.WriteFile(vfs.OS{}, files.Key, key, 0o600); err != nil {
		return err
	}
	if err := vfs.WriteFile(vfs.OS{}, files.Certificate, cert, 0o600); err != nil {
		return errors.Join(err, os.Remove(files.Key))
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// lifetime of a self-signed certificate. Nobody renews it, and clients are told
// to trust this one certificate and no other.
const lifetime = 10 * 365 * 24 * time.Hour

// SelfSigned returns a certificate and its key, both PEM, for localhost, the
// loopback addresses and a host name.
func SelfSigned(host string, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	names := []string{"localhost"}
	if host != "localhost" {
		names = append(names, host)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: host, Organization: []string{"Postfach, self-signed"}},
		DNSNames:     names,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:    now.Add(-time.Hour), // clocks differ
		NotAfter:     now.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true, // and no CA: whoever trusts it trusts this server only
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}
