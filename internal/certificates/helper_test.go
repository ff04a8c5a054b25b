package certificates

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// certmagic has one for each ACME server, for as long as the process lives.
		goleak.IgnoreTopFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).permit"),
		// And one for each lock, which sees after up to five seconds that it is gone.
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
	last int64
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, SubjectKeyId: []byte(name),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return &authority{t: t, cert: cert, key: key, last: 1}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// issue returns a certificate and its key, PEM.
func (a *authority) issue(key crypto.Signer, usage x509.ExtKeyUsage, until time.Time, names ...string) (cert, keyPEM []byte) {
	a.t.Helper()
	a.last++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.last), Subject: pkix.Name{CommonName: strings.Join(names[:min(1, len(names))], "")}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	must(a.t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(a.t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func newECDSA(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func newRSA(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return key
}

// pairIn writes a server's certificate with a key into files of a folder.
func (a *authority) pairIn(dir, base string, key crypto.Signer, names ...string) Pair {
	a.t.Helper()
	cert, keyPEM := a.issue(key, x509.ExtKeyUsageServerAuth, time.Now().Add(20*time.Hour), names...)
	p := Pair{filepath.Join(dir, base+".pem"), filepath.Join(dir, base+".key")}
	must(a.t, os.WriteFile(p.Certificate, cert, 0o600))
	must(a.t, os.WriteFile(p.Key, keyPEM, 0o600))
	return p
}

// client returns a client's certificate.
func (a *authority) client() tls.Certificate {
	a.t.Helper()
	cert, key := a.issue(newECDSA(a.t), x509.ExtKeyUsageClientAuth, time.Now().Add(20*time.Hour))
	pair, err := tls.X509KeyPair(cert, key)
	must(a.t, err)
	return pair
}

func (a *authority) list(extensions []pkix.Extension, taken ...tls.Certificate) []byte {
	a.t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: time.Now().Add(-time.Hour), ExtraExtensions: extensions}
	for _, c := range taken {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	must(a.t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// shake lets a client and a server shake hands, and say a word each, so that the
// client gets its ticket.
func shake(server, client *tls.Config) (tls.ConnectionState, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return tls.ConnectionState{}, err
	}
	far, err := l.Accept()
	if err != nil {
		near.Close()
		return tls.ConnectionState{}, err
	}
	return shakeOver(near, far, server, client)
}

// shakeOver is shake with a connection, whose both ends it closes.
func shakeOver(near, far net.Conn, server, client *tls.Config) (tls.ConnectionState, error) {
	over := make(chan error, 1)
	go func() {
		defer far.Close()
		far.SetDeadline(time.Now().Add(20 * time.Second))
		conn := tls.Server(far, server)
		_, err := conn.Write([]byte("x"))
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		over <- err
	}()
	near.SetDeadline(time.Now().Add(20 * time.Second))
	conn := tls.Client(near, client)
	_, err := conn.Read(make([]byte, 1))
	if err == nil {
		_, err = conn.Write([]byte("x"))
	}
	near.Close()
	if serverErr := <-over; err == nil {
		err = serverErr
	}
	return conn.ConnectionState(), err
}

// A journal is a log that a test can wait for.
type journal struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
	news chan struct{} // closed at the next line
}

func newJournal() (*journal, *slog.Logger) {
	j := &journal{news: make(chan struct{})}
	return j, slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.news)
	j.news = make(chan struct{})
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// wait returns when the log has n times part.
func (j *journal) wait(t *testing.T, part string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	for {
		j.mu.Lock()
		text, news := j.text.String(), j.news
		j.mu.Unlock()
		if strings.Count(text, part) >= n {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("not %d times %q in the log:\n%s", n, part, text)
		}
	}
}
