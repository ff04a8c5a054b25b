//go:build unix

package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	gotls "crypto/tls" // tls is a mode here
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/peer"
	"postfach/maildrop/memory"
	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3server"
	"postfach/sasl"
)

// A server that offers all mechanisms keeps all rules about them that our suite
// knows, on each kind of connection; and the suite looks at all of them.
func TestServerOfAllMechanismsKeepsTheirRules(t *testing.T) {
	t.Parallel()
	checks, unknown := pop3check.Select("P3-AUTH", "P3-PLAIN", "P3-SCRAM", "P3-OAUTH", "P3-EXT", "P3-CRAM", "P3-CAPA", "P3-USR")
	if len(unknown) > 0 {
		t.Fatal(unknown)
	}
	certificate := peer.NewCertificate(t)
	authority, shown := clientAuthority(t, "with certificate")
	loopback, elsewhere, implicit := serveAll(t, certificate, authority)

	var mu sync.Mutex // guards made
	made := map[string]bool{}
	var running sync.WaitGroup
	for _, way := range []struct {
		user, addr string
		security   pop3client.Security
	}{
		{"clear", loopback, pop3client.Cleartext},
		{"stls", elsewhere, pop3client.RequireSTLS},
		{"tls", implicit, pop3client.ImplicitTLS},
		{"TLS 1.2", implicit, pop3client.ImplicitTLS},
		{"with certificate", implicit, pop3client.ImplicitTLS},
	} {
		running.Go(func() {
			config := certificate.Client.Clone()
			switch way.user {
			case "TLS 1.2":
				config.MaxVersion = gotls.VersionTLS12
			case "with certificate":
				config.Certificates = []gotls.Certificate{shown}
			}
			target := &pop3check.Target{
				Addr: way.addr, Security: way.security, TLS: config, User: way.user, Password: password, Secret: apopSecret,
				Quiet: 100 * time.Millisecond,
			}
			for r := range target.Run(t.Context(), checks) {
				switch r.Status {
				case pop3check.Fail:
					t.Errorf("%s (%s): want %s; got %s\n\t%s", r.ID, way.user, r.Want, r.Got, strings.Join(r.Trace, "\n\t"))
				case pop3check.Pass:
					mu.Lock()
					made[r.ID] = true
					mu.Unlock()
				}
			}
		})
	}
	running.Wait()
	for _, c := range checks {
		why := notMade()[c.ID]
		if made[c.ID] != (why == "") {
			t.Errorf("%s: made %v, although %q", c.ID, made[c.ID], why)
		}
	}
}

// notMade are checks that this server gives no reason for.
func notMade() map[string]string {
	return map[string]string{
		"P3-CAPA-11": "LOGIN-DELAY is not there",
		"P3-CAPA-14": "nor is EXPIRE 0",
	}
}

const apopSecret = "tanstaaftanstaaf"

// serveAll serves all mechanisms on three ports of the loopback interface: one
// that knows where it is, one that believes it is on another network, and one with
// TLS from the first octet.
func serveAll(t *testing.T, certificate *peer.Certificate, authority *x509.CertPool) (loopback, elsewhere, implicit string) {
	t.Helper()
	cert, err := gotls.LoadX509KeyPair(certificate.CertFile, certificate.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	for _, name := range []string{"clear", "stls", "tls", "TLS 1.2", "with certificate"} {
		store.Create(name)
	}
	a := &allAccounts{store: store}
	srv := &pop3server.Server{
		Store: store, Auth: a, Login: true, SCRAM: a, Tokens: a, Certificates: a, CRAM: a, APOP: a,
		TLS:            &gotls.Config{Certificates: []gotls.Certificate{cert}, ClientCAs: authority, ClientAuth: gotls.VerifyClientCertIfGiven},
		Limits:         pop3server.Limits{FailureDelay: time.Nanosecond, AddressDelay: time.Nanosecond},
		Log:            slog.New(slog.DiscardHandler),
		Implementation: "Postfach-Test",
	}
	var served sync.WaitGroup
	listen := func(serve func(net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served.Go(func() {
			if err := serve(l); !errors.Is(err, pop3server.ErrServerClosed) {
				t.Error(err)
			}
		})
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return "localhost:" + port
	}
	loopback, implicit = listen(srv.Serve), listen(srv.ServeTLS)
	elsewhere = listen(func(l net.Listener) error { return srv.Serve(abroad{l}) })
	t.Cleanup(func() {
		srv.Close()
		served.Wait()
	})
	return loopback, elsewhere, implicit
}

// abroad is a listener whose connections are not from this machine.
type abroad struct{ net.Listener }

func (l abroad) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return fromAbroad{c}, nil
}

type fromAbroad struct{ net.Conn }

func (fromAbroad) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 40000}
}

// clientAuthority makes a certificate for a client, and the pool that trusts it.
func clientAuthority(t *testing.T, name string) (*x509.CertPool, gotls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return pool, gotls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// allAccounts are those of a store, all with one password, one secret, and no
// token.
type allAccounts struct{ store *memory.Store }

var errNobody = pop3server.ErrCredentials

func (a *allAccounts) has(name string) bool {
	return slices.Contains([]string{"clear", "stls", "tls", "TLS 1.2", "with certificate"}, name)
}

func (a *allAccounts) Authenticate(_ context.Context, _ *pop3server.Peer, name, said string) (pop3server.Identity, error) {
	if !a.has(name) || said != password {
		return pop3server.Identity{}, errNobody
	}
	return pop3server.Identity{User: name}, nil
}

func (a *allAccounts) Offers(sasl.ScramHash) bool { return true }

func (a *allAccounts) Scram(_ context.Context, _ *pop3server.Peer, h sasl.ScramHash, name string) (*pop3server.ScramAccount, error) {
	digest := h.New()
	digest.Write([]byte(name))
	salt := digest.Sum(nil)[:16]
	said := password
	if !a.has(name) {
		said = rand.Text()
	}
	keys, err := sasl.NewScramKeys(h, said, salt, 4096)
	return &pop3server.ScramAccount{
		Verifier:   sasl.ScramVerifier{Salt: salt, Iterations: 4096, Keys: []sasl.ScramKeys{keys}},
		Identities: []pop3server.Identity{{User: name}},
	}, err
}

func (a *allAccounts) Token(context.Context, *pop3server.Peer, string, string) (pop3server.Identity, error) {
	return pop3server.Identity{}, errNobody
}

func (a *allAccounts) Discovery() (configuration, scope string) {
	return "https://issuer.example.com/.well-known/openid-configuration", "mail"
}

func (a *allAccounts) Certificate(_ context.Context, p *pop3server.Peer, identity string) (pop3server.Identity, error) {
	name := p.TLS.VerifiedChains[0][0].Subject.CommonName
	if !a.has(name) || identity != "" && identity != name {
		return pop3server.Identity{}, errNobody
	}
	return pop3server.Identity{User: name}, nil
}

func (a *allAccounts) Available() bool { return true }

func (a *allAccounts) Secret(_ context.Context, _ *pop3server.Peer, name string) (who pop3server.Identity, secret string, err error) {
	if !a.has(name) {
		return who, "", errNobody
	}
	return pop3server.Identity{User: name}, apopSecret, nil
}
