package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"sync/atomic"
	"time"

	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// A certificate is the one in use. Sessions that have begun keep theirs.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// load reads a certificate and its key. After an error the old one stays.
func (c *certificate) load(cfg *config.Config, folder datafolder.Folder, log *slog.Logger) error {
	certFile, keyFile := certificateFiles(cfg, folder)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return hint.Add(fmt.Errorf("certificate %s with key %s: %w", certFile, keyFile, err),
			"two PEM files that belong together, readable for uid %d; without [tls] in the configuration and without both files a new pair is made", os.Getuid())
	}
	if left := time.Until(pair.Leaf.NotAfter); left < 30*24*time.Hour {
		log.Warn("certificate ends soon, or has ended", "file", certFile, "until", pair.Leaf.NotAfter,
			"hint", "put a new one there and send SIGHUP; one that the first start made: remove both files and start again")
	}
	c.current.Store(&pair)
	return nil
}

// config is for any number of servers, which all follow the certificate.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12, // P3-TLS-02
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

func certificateFiles(cfg *config.Config, folder datafolder.Folder) (cert, key string) {
	if cfg.TLS.Certificate != "" {
		return cfg.TLS.Certificate, cfg.TLS.Key
	}
	return folder.Certificate(), folder.Key()
}

// makeCertificate makes a self-signed certificate in the data folder where
// there is neither certificate nor key, and none is configured.
func makeCertificate(cfg *config.Config, folder datafolder.Folder) error {
	if cfg.TLS.Certificate != "" || exists(folder.Certificate()) || exists(folder.Key()) {
		return nil
	}
	cert, key, err := selfSigned(hostname(cfg), time.Now())
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	// The key first: a certificate without its key would stop the next start.
	if err := vfs.WriteFile(vfs.OS{}, folder.Key(), key, 0o600); err != nil {
		return err
	}
	if err := vfs.WriteFile(vfs.OS{}, folder.Certificate(), cert, 0o600); err != nil {
		return errors.Join(err, os.Remove(folder.Key()))
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

func selfSigned(host string, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	names := []string{"localhost"}
	if host != "localhost" && config.IsHostname(host) {
		names = append(names, host)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[len(names)-1], Organization: []string{"Postfach, self-signed"}},
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

// hostname is the configured name, or the machine's.
func hostname(cfg *config.Config) string {
	if cfg.Hostname != "" {
		return cfg.Hostname
	}
	name, err := os.Hostname()
	if err != nil || !config.IsHostname(name) {
		return "localhost"
	}
	return name
}
