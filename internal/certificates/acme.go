package certificates

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"postfach/internal/hint"
)

// An ACMESpec says how to get certificates from an ACME server (RFC 8555).
type ACMESpec struct {
	Hosts     []string // each gets a certificate
	Email     string   // where the ACME server may write to; empty: as the account in Folder says, or nowhere
	Directory string   // URL of the ACME server
	Roots     string   // of that server, as ReadRoots returns them; empty: the system's
	// Folder is where certificates, keys and the account are kept. It is made where
	// it is missing.
	Folder string
	// Challenge is how the ACME server sees that a host is ours.
	Challenge Challenge
	// Listening is the address at which a Responder answers HTTP01 or TLSALPN01.
	Listening string
	// Hook is the program that changes the DNS, for DNS01, with its arguments, and
	// HookTimeout how long it may run.
	Hook        []string
	HookTimeout time.Duration
}

// A Challenge is a way to show an ACME server that a host is ours.
type Challenge string

// The challenges (RFC 8555 section 8, RFC 8737).
const (
	HTTP01    Challenge = "http-01"
	TLSALPN01 Challenge = "tls-alpn-01"
	DNS01     Challenge = "dns-01"
)

// An ACME gets certificates and renews them, in the background, until it is
// closed. nil has none.
type ACME struct {
	spec  ACMESpec
	log   *slog.Logger
	cache *certmagic.Cache
	magic atomic.Pointer[certmagic.Config]

	cancel  context.CancelFunc // ends what is running
	running sync.WaitGroup
}

// StartACME takes the certificates that are in the folder, and begins to get
// those that are missing. What fails is logged and tried again, after a minute at
// first and after six hours in the end; the server serves what it has.
func StartACME(spec ACMESpec, log *slog.Logger) (*ACME, error) {
	quiet := zapTo(logOr(log))
	template, err := issuer(spec, quiet)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &ACME{spec: spec, log: logOr(log), cancel: cancel}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic.Load(), nil },
		Logger:           quiet,
	})
	magic := certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: spec.Folder},
		OCSP:    certmagic.OCSPConfig{DisableStapling: true}, // whatever a certificate says, nobody else is asked
		OnEvent: a.event,
		Logger:  quiet,
	})
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, template)}
	a.magic.Store(magic)
	a.start(ctx)
	return a, nil
}

// issuer says whom certmagic asks, and leaves it nothing to choose.
func issuer(spec ACMESpec, log *zap.Logger) (certmagic.ACMEIssuer, error) {
	var roots *x509.CertPool
	if spec.Roots != "" {
		roots = x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(spec.Roots))
	}
	i := certmagic.ACMEIssuer{
		CA: spec.Directory,
		// Without it certmagic tries failures again at Let's Encrypt's other server.
		TestCA:                    spec.Directory,
		Email:                     spec.Email,
		Agreed:                    true,
		TrustedRoots:              roots,
		DisableHTTPChallenge:      spec.Challenge != HTTP01,
		DisableTLSALPNChallenge:   spec.Challenge != TLSALPN01,
		DisableDistributedSolvers: true,
		Logger:                    log,
	}
	if spec.Challenge == DNS01 {
		i.DNS01Solver = &dnsHook{command: spec.Hook, timeout: spec.HookTimeout, home: spec.Folder}
		return i, nil
	}
	// The Responder has the address already. certmagic sees that, and leaves the
	// answers to it.
	host, port, err := splitListening(spec.Listening)
	i.ListenHost, i.AltHTTPPort, i.AltTLSALPNPort = host, port, port
	return i, err
}

func (a *ACME) start(ctx context.Context) {
	a.log.Info("certificates from an ACME server", "hosts", a.spec.Hosts, "directory", a.spec.Directory, "challenge", string(a.spec.Challenge))
	old := false
	for _, host := range a.spec.Hosts {
		if _, err := a.magic.Load().CacheManagedCertificate(ctx, host); err == nil {
			old = true
			continue
		}
		a.running.Go(func() { a.obtain(ctx, host) })
	}
	if old { // certmagic looks every ten minutes, but some may have ended while nobody served
		a.running.Go(func() { a.cache.RenewManagedCertificates(ctx) })
	}
}

// obtain gets the first certificate for a host. certmagic tries for a month.
func (a *ACME) obtain(ctx context.Context, host string) {
	for ctx.Err() == nil {
		advice := "docs/tls.md says what each challenge needs"
		err := a.magic.Load().ObtainCertAsync(ctx, host)
		if err == nil {
			advice = "what is in " + filepath.Join(a.spec.Folder, "certificates") + " for this host may be damaged: remove it"
			_, err = a.magic.Load().CacheManagedCertificate(ctx, host)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		a.log.Error("no certificate from the ACME server", "host", host, "err", short(err.Error()), "hint", advice+"; next try in an hour")
		select {
		case <-time.After(time.Hour):
		case <-ctx.Done():
		}
	}
}

// event hears what certmagic has done.
func (a *ACME) event(_ context.Context, event string, values map[string]any) error {
	if event == "cert_obtained" {
		a.log.Info("certificate from the ACME server", "host", values["identifier"], "renewal", values["renewal"])
	}
	return nil
}

// Close ends what it does in the background. Its certificates are not used any
// more by then. A server that does not answer holds nobody up: after two seconds the
// rest ends by itself.
func (a *ACME) Close() {
	if a == nil {
		return
	}
	a.cancel()
	over := make(chan struct{})
	go func() {
		defer close(over)
		a.running.Wait()
		a.cache.Stop()
	}()
	moment := time.NewTimer(2 * time.Second)
	defer moment.Stop()
	select {
	case <-over:
	case <-moment.C:
	}
}

// ReleaseLocks is for the end of the program, when all ACMEs of the process are
// closed: the next start need not wait for the locks of one that ended late.
func ReleaseLocks(log *slog.Logger) {
	certmagic.CleanUpOwnLocks(context.Background(), zapTo(logOr(log)))
}

// Spec is what it was started with.
func (a *ACME) Spec() ACMESpec {
	if a == nil {
		return ACMESpec{}
	}
	return a.spec
}

// forName returns the certificate for a host. nil: it is none of ours, there is
// no certificate yet, or the client cannot use it.
func (a *ACME) forName(name string, hello *tls.ClientHelloInfo) *tls.Certificate {
	if a == nil {
		return nil
	}
	ours := slices.ContainsFunc(a.spec.Hosts, func(host string) bool { return canonical(host) == name || canonical(host) == wildcard(name) })
	if !ours {
		return nil
	}
	return a.cached(name, hello)
}

// first is for clients that name no host.
func (a *ACME) first(hello *tls.ClientHelloInfo) *tls.Certificate {
	if a == nil {
		return nil
	}
	return a.cached(canonical(a.spec.Hosts[0]), hello)
}

func (a *ACME) cached(name string, hello *tls.ClientHelloInfo) *tls.Certificate {
	var certs []*tls.Certificate
	for _, c := range a.cache.AllMatchingCertificates(name) {
		certs = append(certs, &c.Certificate)
	}
	return usable(certs, hello)
}

// warn says what should have been renewed long ago.
func (a *ACME) warn(now time.Time) {
	if a == nil {
		return
	}
	for _, host := range a.spec.Hosts {
		for _, c := range a.cache.AllMatchingCertificates(canonical(host)) {
			if leaf := c.Leaf; leaf != nil && leaf.NotAfter.Sub(now) < leaf.NotAfter.Sub(leaf.NotBefore)/4 {
				a.log.Warn("certificate from the ACME server was not renewed", "host", host, "until", leaf.NotAfter, "hint", "look for earlier lines about this host")
			}
		}
	}
}

// ReadRoots reads a PEM file with the root of an ACME server. It returns the text,
// which tells whether it is another one than before. Without a file it is empty.
func ReadRoots(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err == nil {
		_, err = parseCertificates(text)
	}
	if err != nil {
		return "", hint.Add(fmt.Errorf("root of the ACME server %s: %w", file, err), "tls.acme.ca is a PEM file with at least one CERTIFICATE")
	}
	return string(text), nil
}
