package certificates

import (
	"crypto"
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

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// MakeSelfSigned makes a certificate for localhost and a host name, and its key,
// where there is no certificate. A key that is there already is left from a start that
// was cut short: the certificate is for that one.
func MakeSelfSigned(files Pair, host string, now time.Time) error {
	if vfs.Exists(files.Certificate) {
		return nil
	}
	key, err := ownKey(files.Key)
	if err != nil {
		return err
	}
	cert, err := selfSigned(key, host, now)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	return vfs.WriteFile(vfs.OS{}, files.Certificate, cert, 0o600)
}

// ownKey reads the key, or makes one. It is there before its certificate: one without
// its key would stop the next start.
func ownKey(file string) (crypto.Signer, error) {
	text, err := os.ReadFile(file)
	if err == nil {
		key, err := parseKey(text)
		if err != nil {
			err = hint.Add(fmt.Errorf("the private key %s: %w", file, err), "remove it, and start again: there is no certificate for it")
		}
		return key, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, text, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, vfs.WriteFile(vfs.OS{}, file, text, 0o600)
}

// lifetime of a self-signed certificate. Nobody renews it, and clients are told
// to trust this one certificate and no other.
const lifetime = 10 * 365 * 24 * time.Hour

// SelfSigned returns a certificate and its key, both PEM, for localhost, the
// loopback addresses and a host name.
func SelfSigned(host string, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	certPEM, err = selfSigned(key, host, now)
	return certPEM, keyPEM, err
}

func newKey() (key crypto.Signer, keyPEM []byte, err error) {
	key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), err
}

// parseKey reads what newKey has made.
func parseKey(keyPEM []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, errors.New("there is no private key in it")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T signs nothing", key)
	}
	return signer, nil
}

func selfSigned(key crypto.Signer, host string, now time.Time) (certPEM []byte, err error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
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
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}
