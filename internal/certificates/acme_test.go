//go:build unix

package certificates

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"

	"postfach/internal/peer"
)

// ownSet serves a certificate that nobody has signed.
func ownSet(t *testing.T) *Set {
	t.Helper()
	dir := t.TempDir()
	own := Pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	must(t, MakeSelfSigned(own, "mail.example.org", time.Now()))
	set := &Set{}
	must(t, set.Load(Files{Pairs: []Pair{own}, Private: dir, OwnDefault: true}))
	return set
}

func rootsOf(t *testing.T, file string) string {
	t.Helper()
	roots, err := ReadRoots(file)
	must(t, err)
	return roots
}

func organization(t *testing.T, set *Set, name string) string {
	t.Helper()
	state, err := shake(set.Config(), &tls.Config{InsecureSkipVerify: true, ServerName: name})
	must(t, err)
	if len(state.PeerCertificates[0].Subject.Organization) == 0 {
		return ""
	}
	return state.PeerCertificates[0].Subject.Organization[0]
}

// hook is a dns_hook that writes into the test's zone.
const hook = `#!/bin/sh
echo "$*" >> "$1/calls"
case $2 in
present) echo "$4" >> "$1/$3" ;;
cleanup) rm "$1/$3" ;;
esac
`

func writeHook(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hook")
	must(t, os.WriteFile(name, []byte(text), 0o700))
	return name
}

func TestCertificatesComeFromACME(t *testing.T) {
	for _, challenge := range []Challenge{HTTP01, TLSALPN01, DNS01} {
		t.Run(string(challenge), func(t *testing.T) {
			pebble := peer.StartPebble(t, t.TempDir())
			set := ownSet(t)
			if organization(t, set, "mail.example.org") == "" {
				t.Fatal("not the own certificate")
			}
			j, log := newJournal()
			spec := ACMESpec{
				Hosts: []string{"mail.example.org", "pop.example.net"}, Email: "postmaster@example.org",
				Directory: pebble.Directory, Roots: rootsOf(t, pebble.CAFile), Folder: filepath.Join(t.TempDir(), "acme"),
				Challenge: challenge,
			}
			switch challenge {
			case DNS01:
				spec.Hosts[1] = "*.example.net"
				spec.Hook, spec.HookTimeout = []string{writeHook(t, hook), pebble.Zone}, 10*time.Second
			default:
				spec.Listening = map[Challenge]string{HTTP01: pebble.HTTP, TLSALPN01: pebble.TLS}[challenge]
				l, err := net.Listen("tcp", spec.Listening)
				must(t, err)
				r := Respond(l, challenge, log)
				defer r.Close()
			}
			a, err := StartACME(spec, log)
			must(t, err)
			defer func() { a.Close() }()
			set.Use(a)
			j.wait(t, `msg="certificate from the ACME server"`, 2)
			must(t, eventually(t, func() error {
				for _, name := range []string{"mail.example.org", "pop.example.net"} {
					if _, err := shake(set.Config(), pebble.Client(t, name)); err != nil {
						return err
					}
				}
				return nil
			}))
			if who := organization(t, set, ""); who != "" {
				t.Errorf("a client without a name gets that of %q", who)
			}
			if who := organization(t, set, "localhost"); who == "" {
				t.Error("localhost has its own certificate no more")
			}
			if strings.Contains(j.String(), "level=WARN") || strings.Contains(j.String(), "level=ERROR") {
				t.Errorf("not all went well:\n%s", j)
			}
			closedToOthers(t, spec.Folder)
			if challenge == DNS01 {
				left, err := os.ReadDir(pebble.Zone)
				must(t, err)
				if len(left) != 1 { // the list of calls
					t.Errorf("records are left: %v", left)
				}
			}

			// The next start has them at once, and asks nobody.
			a.Close()
			again, err := StartACME(spec, log)
			must(t, err)
			a = again
			set.Use(a)
			for _, name := range []string{"mail.example.org", "pop.example.net"} {
				if _, err := shake(set.Config(), pebble.Client(t, name)); err != nil {
					t.Errorf("%s after a restart: %v", name, err)
				}
			}
			if n := strings.Count(j.String(), `msg="certificate from the ACME server"`); n != 2 {
				t.Errorf("%d certificates were issued", n)
			}
		})
	}
}

// A certificate that has ended while nobody served is renewed at once, and one
// that is damaged is told of.
func TestOldCertificateIsRenewed(t *testing.T) {
	pebble := peer.StartPebble(t, t.TempDir())
	set := ownSet(t)
	j, log := newJournal()
	l, err := net.Listen("tcp", pebble.HTTP)
	must(t, err)
	r := Respond(l, HTTP01, log)
	defer r.Close()
	spec := ACMESpec{
		Hosts: []string{"mail.example.org"}, Directory: pebble.Directory, Roots: rootsOf(t, pebble.CAFile),
		Folder: filepath.Join(t.TempDir(), "acme"), Challenge: HTTP01, Listening: pebble.HTTP,
	}
	a, err := StartACME(spec, log)
	must(t, err)
	j.wait(t, "renewal=false", 1)
	a.Close()

	stored := func(kind string) string {
		names, err := filepath.Glob(filepath.Join(spec.Folder, "certificates", "*", "*", "*."+kind))
		if err != nil || len(names) != 1 {
			t.Fatalf("%v, %v", names, err)
		}
		return names[0]
	}
	cert, key := newAuthority(t, "ca").issue(newECDSA(t), x509.ExtKeyUsageServerAuth, time.Now().Add(-time.Minute), "mail.example.org")
	must(t, os.WriteFile(stored("crt"), cert, 0o600))
	must(t, os.WriteFile(stored("key"), key, 0o600))
	a, err = StartACME(spec, log)
	must(t, err)
	set.Use(a)
	j.wait(t, "renewal=true", 1)
	must(t, eventually(t, func() error {
		_, err := shake(set.Config(), pebble.Client(t, "mail.example.org"))
		return err
	}))
	a.Close()

	must(t, os.WriteFile(stored("crt"), []byte("nonsense"), 0o600))
	a, err = StartACME(spec, log)
	must(t, err)
	j.wait(t, "may be damaged", 1)
	a.Close()
}

// eventually tries until it works: the log is a little early.
func eventually(t *testing.T, works func() error) error {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var err error
	for range 2000 {
		if err = works(); err == nil {
			return nil
		}
		<-tick.C
	}
	return err
}

func closedToOthers(t *testing.T, dir string) {
	t.Helper()
	files := 0
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		files++
		return nil
	}))
	if files < 6 {
		t.Errorf("only %d files in the folder", files)
	}
}

// Whatever the ACME server does, the server serves.
func TestFailuresOfACMEStopNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	responder := Respond(l, HTTP01, nil)
	defer responder.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	nobody.Close()
	set := ownSet(t)
	j, log := newJournal()
	a, err := StartACME(ACMESpec{
		Hosts: []string{"mail.example.org"}, Directory: "https://" + nobody.Addr().String() + "/dir",
		Folder: filepath.Join(t.TempDir(), "acme"), Challenge: HTTP01, Listening: l.Addr().String(),
	}, log)
	must(t, err)
	set.Use(a)
	j.wait(t, "will retry", 1)
	if !strings.Contains(j.String(), "retrying_in") || !strings.Contains(j.String(), "level=WARN") {
		t.Errorf("log:\n%s", j)
	}
	if who := organization(t, set, "mail.example.org"); who == "" {
		t.Error("not the own certificate")
	}
	began := time.Now()
	a.Close()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %s", took)
	}
	if left, err := filepath.Glob(filepath.Join(a.spec.Folder, "locks", "*")); err != nil || len(left) > 0 {
		t.Errorf("locks are left: %v, %v", left, err)
	}
}

// certmagic has servers of its own that it would ask.
func TestNobodyElseIsAsked(t *testing.T) {
	const directory = "https://acme-v02.api.letsencrypt.org/directory" // where it would begin
	for challenge, dns := range map[Challenge]bool{HTTP01: false, TLSALPN01: false, DNS01: true} {
		template, err := issuer(ACMESpec{Directory: directory, Challenge: challenge, Listening: "[::]:8080"}, nil)
		must(t, err)
		got := certmagic.NewACMEIssuer(new(certmagic.Config), template)
		if got.CA != directory || got.TestCA != directory || (got.DNS01Solver != nil) != dns ||
			got.DisableHTTPChallenge != (challenge != HTTP01) || got.DisableTLSALPNChallenge != (challenge != TLSALPN01) {
			t.Errorf("%s: %+v", challenge, got)
		}
		if !dns && (got.ListenHost != "" || got.AltHTTPPort != 8080 || got.AltTLSALPNPort != 8080) {
			t.Errorf("%s: %+v", challenge, got)
		}
	}
}

func TestHookIsBoundedAndRunsWithoutShell(t *testing.T) {
	zone := t.TempDir()
	challenge := acme.Challenge{Type: acme.ChallengeTypeDNS01, Identifier: acme.Identifier{Type: "dns", Value: "a;touch x.example.org"}, KeyAuthorization: "k"}
	good := &dnsHook{command: []string{writeHook(t, hook), zone}, timeout: 10 * time.Second}
	ctx, cancel := context.WithCancel(t.Context())
	must(t, good.Present(ctx, challenge))
	cancel()
	must(t, good.CleanUp(ctx, challenge)) // although the server is about to end
	calls, err := os.ReadFile(filepath.Join(zone, "calls"))
	must(t, err)
	value := challenge.DNS01KeyAuthorization()
	if want := fmt.Sprintf("%[1]s present _acme-challenge.a;touch x.example.org %[2]s\n%[1]s cleanup _acme-challenge.a;touch x.example.org %[2]s\n", zone, value); string(calls) != want {
		t.Errorf("calls %q\nwant  %q", calls, want)
	}
	fails := &dnsHook{command: []string{writeHook(t, "#!/bin/sh\nyes no | head -c 100000 >&2\necho the reason >&2\nexit 3\n")}, timeout: 10 * time.Second}
	err = fails.Present(t.Context(), challenge)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "the reason") || len(err.Error()) > 1000 {
		t.Errorf("%v", err)
	}
	hangs := &dnsHook{command: []string{writeHook(t, "#!/bin/sh\nsleep 600 &\nsleep 600\n")}, timeout: 50 * time.Millisecond}
	began := time.Now()
	if err := hangs.Present(t.Context(), challenge); err == nil || time.Since(began) > 20*time.Second {
		t.Errorf("a hook that hangs: %v after %s", err, time.Since(began))
	}
}

// What a stranger finds at the address for challenges.
func TestResponderAnswersNothingElse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	web := Respond(l, HTTP01, nil)
	defer web.Close()
	for _, path := range []string{"/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/abc", "/.well-known/acme-challenge/../../etc/passwd"} {
		request, err := http.NewRequest(http.MethodGet, "http://"+l.Addr().String()+path, nil)
		must(t, err)
		request.Host = "mail.example.org"
		answer, err := http.DefaultTransport.RoundTrip(request)
		must(t, err)
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusNotFound || len(body) > 0 || !answer.Close {
			t.Errorf("%s: %s %q, %v", path, answer.Status, body, err)
		}
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 1<<20))
	said, _ := io.ReadAll(conn)
	if !strings.Contains(string(said), "431") && len(said) > 0 {
		t.Errorf("a megabyte of header: %q", said)
	}

	l, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	alpn := Respond(l, TLSALPN01, nil)
	idle, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer idle.Close()
	for _, protos := range [][]string{nil, {"pop3"}, {acmez.ACMETLS1Protocol}, {acmez.ACMETLS1Protocol, "pop3"}} {
		if conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "mail.example.org", NextProtos: protos}); err == nil {
			conn.Close()
			t.Errorf("%v: a handshake without a challenge", protos)
		}
	}
	began := time.Now()
	alpn.Close() // and the idle connection with it
	if took := time.Since(began); took > responderTimeout/2 {
		t.Errorf("Close waits for strangers: %s", took)
	}
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("the idle connection is open")
	}
}

// Who opens connections and says nothing, as many as there may be, and more, does not
// keep the ACME server out, and takes no descriptors beyond the bound.
func TestSilenceKeepsNoACMEServerOut(t *testing.T) {
	for _, challenge := range []Challenge{HTTP01, TLSALPN01} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		r := Respond(l, challenge, nil)
		var silent []net.Conn
		for range ResponderConnections + 20 {
			c, err := net.Dial("tcp", l.Addr().String())
			must(t, err)
			silent = append(silent, c)
		}
		c, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(responderTimeout/2)))
		if challenge == HTTP01 {
			fmt.Fprint(c, "GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: a.example\r\n\r\n")
		} else {
			fmt.Fprint(c, "GET / HTTP/1.1\r\n\r\n")
		}
		if answer, err := io.ReadAll(c); err != nil || challenge == HTTP01 && len(answer) == 0 {
			t.Errorf("%s: %q, %v", challenge, answer, err)
		}
		for i, s := range silent {
			if i < 20 { // the oldest have been closed
				must(t, s.SetDeadline(time.Now().Add(responderTimeout/2)))
				if _, err := s.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
					t.Errorf("%s: connection %d: %v", challenge, i, err)
				}
			}
			s.Close()
		}
		c.Close()
		r.Close()
	}
}

// stubborn is an ACME that has a certificate, and whose work does not end.
func stubborn(t *testing.T, log *slog.Logger, cert tls.Certificate) (a *ACME, end func()) {
	t.Helper()
	a = &ACME{spec: ACMESpec{Hosts: cert.Leaf.DNSNames}, log: log, cancel: func() {}}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic.Load(), nil },
		Logger:           zapTo(log),
	})
	a.magic.Store(certmagic.New(a.cache, certmagic.Config{Logger: zapTo(log), OCSP: certmagic.OCSPConfig{DisableStapling: true}}))
	_, err := a.magic.Load().CacheUnmanagedTLSCertificate(t.Context(), cert, nil)
	must(t, err)
	over := make(chan struct{})
	a.running.Go(func() { <-over })
	return a, func() { close(over) }
}

// A site that reloads each day hears of renewals that fail, too.
func TestReloadWarnsOfWhatACMEDidNotRenew(t *testing.T) {
	j, log := newJournal()
	text, key := newAuthority(t, "ca").issue(newECDSA(t), x509.ExtKeyUsageServerAuth, time.Now().Add(time.Minute), "mail.example.org")
	cert, err := tls.X509KeyPair(text, key)
	must(t, err)
	a, end := stubborn(t, log, cert)
	defer a.Close()
	defer end()
	set := ownSet(t)
	set.Log = log
	set.Use(a)
	told := func(want int) {
		t.Helper()
		if n := strings.Count(j.String(), "was not renewed"); n != want {
			t.Errorf("told %d times, want %d:\n%s", n, want, j)
		}
	}
	must(t, set.Load(set.files))
	told(1)
	set.Poll(time.Now().Add(23 * time.Hour))
	told(1)
	must(t, set.Load(set.files))
	told(2)
	set.Poll(time.Now().Add(25 * time.Hour))
	told(3)
}

// An ACME that ends late leaves the locks to the one that has taken its place.
func TestCloseLeavesLocksOfOthers(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	responder := Respond(l, HTTP01, nil)
	defer responder.Close()
	_, log := newJournal()
	text, key := newAuthority(t, "ca").issue(newECDSA(t), x509.ExtKeyUsageServerAuth, time.Now().Add(time.Hour), "mail.example.org")
	cert, err := tls.X509KeyPair(text, key)
	must(t, err)
	old, end := stubborn(t, log, cert)
	defer end()
	fresh, err := StartACME(ACMESpec{
		Hosts: []string{"mail.example.org"}, Directory: "https://" + silent.Addr().String() + "/dir",
		Folder: filepath.Join(t.TempDir(), "acme"), Challenge: HTTP01, Listening: l.Addr().String(),
	}, log)
	must(t, err)
	defer fresh.Close()
	locks := func() int {
		left, err := filepath.Glob(filepath.Join(fresh.spec.Folder, "locks", "*"))
		must(t, err)
		return len(left)
	}
	must(t, eventually(t, func() error {
		if locks() == 0 {
			return errors.New("it has no lock")
		}
		return nil
	}))
	began := time.Now()
	old.Close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Close took %s", took)
	}
	if locks() == 0 {
		t.Error("the lock of another one is gone")
	}
	ReleaseLocks(log)
	if locks() != 0 {
		t.Error("the next start has to wait for a lock")
	}
}

// A panicking is a listener whose connections panic, before it ends.
type panicking struct{ many int }

func (p *panicking) Accept() (net.Conn, error) {
	if p.many--; p.many < 0 {
		return nil, net.ErrClosed
	}
	return panickingConn{}, nil
}
func (p *panicking) Close() error   { return nil }
func (p *panicking) Addr() net.Addr { return &net.TCPAddr{} }

type panickingConn struct{ net.Conn }

func (panickingConn) Read([]byte) (int, error)    { panic("a slip") }
func (panickingConn) Write(p []byte) (int, error) { return len(p), nil }
func (panickingConn) SetDeadline(time.Time) error { return nil }
func (panickingConn) Close() error                { return nil }
func (panickingConn) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5} }

func TestPanicInAChallengeCostsOneConnection(t *testing.T) {
	j, log := newJournal()
	r := Respond(&panicking{3}, TLSALPN01, log)
	j.wait(t, "a slip", 3)
	r.Close()
	if !strings.Contains(j.String(), "level=ERROR") || !strings.Contains(j.String(), "stack=") {
		t.Errorf("log:\n%s", j)
	}
}

// What an ACME server connects to speaks no worse TLS than the rest of the server.
func TestChallengesAreAnsweredInGoodTLSOnly(t *testing.T) {
	config := challengeTLS()
	config.GetCertificate = nil
	pair, key := newAuthority(t, "ca").issue(newRSA(t), x509.ExtKeyUsageServerAuth, time.Now().Add(time.Hour), "a.example")
	cert, err := tls.X509KeyPair(pair, key)
	must(t, err)
	config.Certificates = []tls.Certificate{cert}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		client := &tls.Config{
			InsecureSkipVerify: true, NextProtos: []string{acmez.ACMETLS1Protocol}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID},
		}
		_, err := shake(config, client)
		good := strings.Contains(suite.Name, "ECDHE_RSA") && !strings.Contains(suite.Name, "CBC") && !strings.Contains(suite.Name, "RC4")
		if good != (err == nil) {
			t.Errorf("%s: %v", suite.Name, err)
		}
	}
}
