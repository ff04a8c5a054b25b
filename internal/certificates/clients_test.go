package certificates

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/hint"
)

// offering is a client with a certificate. asked hears whether the server wanted
// one.
func offering(ca *authority, cert tls.Certificate) (client *tls.Config, asked *bool) {
	asked = new(bool)
	return &tls.Config{
		RootCAs: ca.pool(), ServerName: "a.example",
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			*asked = true
			return &cert, nil
		},
	}, asked
}

// P3-EXT-01.
func TestCertificatesAreAskedForOnlyWhenSomeAreTaken(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}}
	set := &Set{}
	must(t, set.Load(files))
	client, asked := offering(ca, ca.client())
	if _, err := shake(set.Config(), client); err != nil || *asked {
		t.Errorf("without authorities: asked %t, %v", *asked, err)
	}
	files.ClientCA = filepath.Join(dir, "ca.pem")
	must(t, os.WriteFile(files.ClientCA, ca.pem(), 0o644))
	must(t, set.Load(files))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client, asked = offering(ca, ca.client())
		client.MaxVersion = version
		if _, err := shake(set.Config(), client); err != nil || !*asked {
			t.Errorf("with authorities: asked %t, %v", *asked, err)
		}
		if _, err := shake(set.Config(), &tls.Config{RootCAs: ca.pool(), ServerName: "a.example", MaxVersion: version}); err != nil {
			t.Errorf("a client without a certificate: %v", err)
		}
		stranger, _ := offering(ca, newAuthority(t, "ca").client()) // the same name, and another key
		stranger.MaxVersion = version
		if _, err := shake(set.Config(), stranger); err == nil {
			t.Error("a stranger's certificate is taken")
		}
	}
	must(t, os.WriteFile(files.ClientCA, []byte("nothing"), 0o644))
	if err := set.Load(files); err == nil || hint.Of(err) == "" {
		t.Errorf("an empty file: %v, hint %q", err, hint.Of(err))
	}
}

func TestRevokedCertificatesAreRefused(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}, ClientCA: filepath.Join(dir, "ca.pem"), ClientCRL: filepath.Join(dir, "crl.pem")}
	must(t, os.WriteFile(files.ClientCA, ca.pem(), 0o644))
	must(t, os.WriteFile(files.ClientCRL, ca.list(nil), 0o644))
	j, log := newJournal()
	set := &Set{Log: log, Tickets: OpenTickets(filepath.Join(dir, "tickets"), time.Now(), log)}
	must(t, set.Load(files))
	if !strings.Contains(j.String(), "is old") {
		t.Errorf("an old list is not told of:\n%s", j)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		must(t, os.WriteFile(files.ClientCRL, ca.list(nil), 0o644))
		must(t, set.Load(files))
		bad, good := ca.client(), ca.client()
		before := set.Config()
		resuming, _ := offering(ca, bad)
		resuming.MaxVersion, resuming.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
		if _, err := shake(before, resuming); err != nil {
			t.Fatal(err)
		}
		if state, err := shake(before, resuming); err != nil || !state.DidResume {
			t.Fatalf("no resumption: %v", err)
		}
		must(t, os.WriteFile(files.ClientCRL, append(ca.list(nil), ca.list(nil, bad)...), 0o644))
		if !set.Poll(time.Now().Add(time.Minute)) {
			t.Error("servers keep a Config for ever")
		}
		kept, _ := offering(ca, good)
		kept.MaxVersion, kept.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
		if _, err := shake(before, kept); err != nil {
			t.Fatal(err)
		}
		if state, err := shake(set.Config(), kept); err != nil || state.DidResume {
			t.Errorf("a ticket from before other authorities: resumed %t, %v", state.DidResume, err)
		}
		for name, config := range map[string]*tls.Config{"old": before, "new": set.Config()} {
			if _, err := shake(config, resuming); err == nil {
				t.Errorf("%s: a ticket from before lets a revoked certificate in", name)
			}
			client, _ := offering(ca, bad)
			client.MaxVersion = version
			if _, err := shake(config, client); err == nil {
				t.Errorf("%s: a revoked certificate is taken", name)
			}
			client, _ = offering(ca, good)
			client.MaxVersion = version
			if _, err := shake(config, client); err != nil {
				t.Errorf("%s: a good certificate: %v", name, err)
			}
		}
	}
}

// Taking a list for more than it is would let revoked certificates in.
func TestListsThatCannotBeTrusted(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}, ClientCA: filepath.Join(dir, "ca.pem"), ClientCRL: filepath.Join(dir, "crl.pem")}
	must(t, os.WriteFile(files.ClientCA, ca.pem(), 0o644))
	partial := []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}}}
	for name, list := range map[string][]byte{
		"of somebody of the same name": newAuthority(t, "ca").list(nil),
		"of somebody else":             newAuthority(t, "other").list(nil),
		"of some certificates only":    ca.list(partial),
		"empty":                        nil,
		"no list":                      ca.pem(),
		"cut off":                      ca.list(nil)[:200],
		"whole, and one cut off":       append(ca.list(nil), append(ca.list(nil)[:150], ca.list(nil)...)...),
	} {
		must(t, os.WriteFile(files.ClientCRL, list, 0o644))
		if err := (&Set{}).Load(files); err == nil || !strings.Contains(hint.Of(err), "client_crl") {
			t.Errorf("%s: %v, hint %q", name, err, hint.Of(err))
		}
	}
}
