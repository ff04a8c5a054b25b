package certificates

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/hint"
)

// serial says which certificate a client gets.
func serial(t *testing.T, server *tls.Config, client *tls.Config) int64 {
	t.Helper()
	state, err := shake(server, client)
	if err != nil {
		t.Fatalf("%s: %v", client.ServerName, err)
	}
	return state.PeerCertificates[0].SerialNumber.Int64()
}

// P3-TLS-16: the name chooses; the default is for whoever names nothing known.
func TestNameChooses(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{
		ca.pairIn(dir, "default", newECDSA(t), "mail.example.org"),   // 2
		ca.pairIn(dir, "wild", newECDSA(t), "*.example.net"),         // 3
		ca.pairIn(dir, "exact", newECDSA(t), "pop.example.net", "x"), // 4
	}}
	set := &Set{}
	must(t, set.Load(files))
	for name, want := range map[string]int64{
		"mail.example.org": 2, "MAIL.Example.ORG": 2,
		"a.example.net": 3, "pop.example.net": 4, "POP.example.net": 4,
		"a.b.example.net": 2, "example.net": 2, "elsewhere.example": 2, "": 2, "localhost": 2,
	} {
		if got := serial(t, set.Config(), &tls.Config{InsecureSkipVerify: true, ServerName: name}); got != want {
			t.Errorf("%q gets certificate %d, want %d", name, got, want)
		}
	}
}

func TestKindOfKeyFitsTheClient(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	rsa := newRSA(t)
	set := &Set{}
	must(t, set.Load(Files{Pairs: []Pair{
		ca.pairIn(dir, "rsa", rsa, "mail.example.org"),           // 2
		ca.pairIn(dir, "ecdsa", newECDSA(t), "mail.example.org"), // 3
		ca.pairIn(dir, "more-rsa", rsa, "more.example.org"),      // 4
	}}))
	old := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for _, name := range []string{"mail.example.org", "unknown.example", ""} {
		client := &tls.Config{InsecureSkipVerify: true, ServerName: name}
		if got := serial(t, set.Config(), client); got != 3 {
			t.Errorf("%q: a client of today gets %d", name, got)
		}
		client.MaxVersion, client.CipherSuites = tls.VersionTLS12, old
		if got := serial(t, set.Config(), client); got != 2 {
			t.Errorf("%q: a client with RSA only gets %d", name, got)
		}
	}
	if got := serial(t, set.Config(), &tls.Config{InsecureSkipVerify: true, ServerName: "more.example.org"}); got != 4 {
		t.Errorf("the only one for the name is not used, but %d", got)
	}
}

func TestReloadIsAllOrNothing(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example"), ca.pairIn(dir, "b", newECDSA(t), "b.example")}}
	set := &Set{}
	must(t, set.Load(files))
	config := set.Config() // is not asked for again
	both := func() [2]int64 {
		return [2]int64{
			serial(t, config, &tls.Config{RootCAs: ca.pool(), ServerName: "a.example"}),
			serial(t, config, &tls.Config{RootCAs: ca.pool(), ServerName: "b.example"}),
		}
	}
	ca.pairIn(dir, "a", newECDSA(t), "a.example") // 4
	must(t, os.WriteFile(files.Pairs[1].Certificate, []byte("nonsense"), 0o600))
	err := set.Load(files)
	if err == nil || !strings.Contains(err.Error(), "b.pem") || hint.Of(err) == "" {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
	if got := both(); got != [2]int64{2, 3} {
		t.Errorf("after a failure: %v", got)
	}
	ca.pairIn(dir, "b", newECDSA(t), "b.example") // 5
	must(t, set.Load(files))
	if got := both(); got != [2]int64{4, 5} {
		t.Errorf("after a reload: %v", got)
	}
}

// Programs that renew certificates do not always tell.
func TestChangedFilesAreSeen(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}}
	j, log := newJournal()
	set := &Set{Log: log}
	must(t, set.Load(files))
	config := set.Config()
	now := time.Now()
	poll := func() int64 {
		now = now.Add(time.Minute)
		if set.Poll(now) {
			t.Error("servers need not be replaced for a certificate")
		}
		return serial(t, config, &tls.Config{RootCAs: ca.pool(), ServerName: "a.example"})
	}
	if got := poll(); got != 2 {
		t.Errorf("without a change: %d", got)
	}
	fresh := ca.pairIn(t.TempDir(), "a", newECDSA(t), "a.example")
	must(t, os.Rename(fresh.Certificate, files.Pairs[0].Certificate)) // and not yet the key
	for range 3 {
		if got := poll(); got != 2 {
			t.Errorf("half a change: %d", got)
		}
	}
	if n := strings.Count(j.String(), "cannot be used"); n != 1 {
		t.Errorf("complained %d times:\n%s", n, j)
	}
	must(t, os.Rename(fresh.Key, files.Pairs[0].Key))
	if got := poll(); got != 3 {
		t.Errorf("after the change: %d", got)
	}
	if n := strings.Count(j.String(), "were read again"); n != 1 {
		t.Errorf("read %d times:\n%s", n, j)
	}
}

// The clocks of file systems have steps of milliseconds, and certificates from
// one place are often of one length.
func TestReplacedFileIsSeen(t *testing.T) {
	dir := t.TempDir()
	files := Files{Pairs: []Pair{{Certificate: filepath.Join(dir, "a.pem"), Key: filepath.Join(dir, "a.key")}}}
	then := time.Unix(1_700_000_000, 0)
	put := func(name, text string) {
		must(t, os.WriteFile(name, []byte(text), 0o600))
		must(t, os.Chtimes(name, then, then))
	}
	put(files.Pairs[0].Certificate, "one")
	before := look(files)
	put(filepath.Join(dir, "fresh"), "two")
	must(t, os.Rename(filepath.Join(dir, "fresh"), files.Pairs[0].Certificate))
	if look(files) == before {
		t.Errorf("another file looks the same: %s", before)
	}
}

func TestKeysAreNobodyElsesBusiness(t *testing.T) {
	ca, private, elsewhere := newAuthority(t, "ca"), t.TempDir(), t.TempDir()
	inside, outside := ca.pairIn(private, "a", newECDSA(t), "a.example"), ca.pairIn(elsewhere, "b", newECDSA(t), "b.example")
	link := Pair{filepath.Join(private, "l.pem"), filepath.Join(private, "l.key")}
	must(t, os.Symlink(outside.Certificate, link.Certificate))
	must(t, os.Symlink(outside.Key, link.Key))
	back := Pair{filepath.Join(elsewhere, "l.pem"), filepath.Join(elsewhere, "l.key")}
	must(t, os.Symlink(inside.Certificate, back.Certificate))
	must(t, os.Symlink(inside.Key, back.Key))
	for _, c := range []struct {
		pair           Pair
		mode           os.FileMode
		refused, warns bool
	}{
		{inside, 0o600, false, false},
		{inside, 0o640, false, false},
		{inside, 0o400, false, false},
		{inside, 0o644, true, false},
		{inside, 0o660, true, false},
		{back, 0o644, true, false}, // it is in the folder, whatever it is called
		{outside, 0o640, false, false},
		{outside, 0o644, false, true},
		{link, 0o644, false, true},
	} {
		must(t, os.Chmod(c.pair.Key, c.mode))
		j, log := newJournal()
		err := (&Set{Log: log}).Load(Files{Pairs: []Pair{c.pair}, Private: private})
		if refused := err != nil && strings.Contains(hint.Of(err), "chmod 600"); refused != c.refused || (err != nil) != c.refused {
			t.Errorf("%s %04o: %v", c.pair.Key, c.mode, err)
		}
		if warns := strings.Contains(j.String(), "open to everybody"); warns != c.warns {
			t.Errorf("%s %04o: %s", c.pair.Key, c.mode, j)
		}
	}
}

func TestEndIsToldOfEachDay(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	now := time.Now()
	key := newECDSA(t)
	write := func(until time.Time) Files {
		cert, keyPEM := ca.issue(key, x509.ExtKeyUsageServerAuth, until, "a.example")
		p := Pair{filepath.Join(dir, "a.pem"), filepath.Join(dir, "a.key")}
		must(t, os.WriteFile(p.Certificate, cert, 0o600))
		must(t, os.WriteFile(p.Key, keyPEM, 0o600))
		return Files{Pairs: []Pair{p}}
	}
	j, log := newJournal()
	set := &Set{Log: log}
	must(t, set.Load(write(now.Add(90*24*time.Hour))))
	if strings.Contains(j.String(), "ends soon") {
		t.Error(j)
	}
	for day := range 75 {
		for hour := range 24 {
			set.Poll(now.Add(time.Duration(day*24+hour) * time.Hour))
		}
		got := strings.Count(j.String(), "ends soon")
		if want := max(0, day-67); got < want || got > want+1 { // a quarter of the time is left
			t.Fatalf("after %d days: %d warnings", day, got)
		}
	}
	j, log = newJournal()
	set = &Set{Log: log}
	must(t, set.Load(write(now.Add(-time.Minute))))
	if !strings.Contains(j.String(), "has ended") || !strings.Contains(j.String(), "hint=") {
		t.Error(j)
	}
}

func TestOwnCertificateIsForThisMachineOnly(t *testing.T) {
	now := time.Now()
	text, _, err := SelfSigned("mail.example.org", now)
	must(t, err)
	certs, err := parseCertificates(text)
	must(t, err)
	cert, roots := certs[0], x509.NewCertPool()
	roots.AddCert(cert)
	for _, name := range []string{"localhost", "mail.example.org", "127.0.0.1", "::1"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now.AddDate(9, 0, 0)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: "example.org"}); err == nil || cert.IsCA {
		t.Error("the certificate is good for more than it should be")
	}
}

// A copied file that is an old one must not replace a certificate that is good, and
// a server that has nothing better starts all the same.
func TestEndedCertificateReplacesNoGoodOne(t *testing.T) {
	a, dir := newAuthority(t, "ca"), t.TempDir()
	p := a.pairIn(dir, "mail", newECDSA(t), "mail.example.org")
	good, err := os.ReadFile(p.Certificate)
	must(t, err)
	j, log := newJournal()
	set := &Set{Log: log}
	must(t, set.Load(Files{Pairs: []Pair{p}}))
	serves := func() []byte {
		cert, err := set.certificate(&tls.ClientHelloInfo{})
		must(t, err)
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	}
	ended := func(p Pair) []byte {
		cert, key := a.issue(newECDSA(t), x509.ExtKeyUsageServerAuth, time.Now().Add(-time.Minute), "mail.example.org")
		must(t, os.WriteFile(p.Certificate, cert, 0o600))
		must(t, os.WriteFile(p.Key, key, 0o600))
		return cert
	}
	old := ended(p)
	if err := set.Load(Files{Pairs: []Pair{p}}); err == nil || !strings.Contains(err.Error(), "has ended") || hint.Of(err) == "" {
		t.Errorf("loaded: %v", err)
	}
	set.Poll(time.Now())
	j.wait(t, "certificates have changed and cannot be used", 1)
	other := Pair{filepath.Join(dir, "other.pem"), filepath.Join(dir, "other.key")}
	ended(other)
	if err := set.Load(Files{Pairs: []Pair{other}}); err == nil {
		t.Error("another file for the same names is loaded")
	}
	if !bytes.Equal(serves(), good) {
		t.Error("the good one is gone")
	}
	// When the good one has ended, too, the other is no worse.
	set.Poll(time.Now().Add(48 * time.Hour))
	if !bytes.Equal(serves(), old) {
		t.Error("the new one is not taken")
	}

	j, log = newJournal()
	set = &Set{Log: log}
	must(t, set.Load(Files{Pairs: []Pair{p}}))
	j.wait(t, `level=ERROR msg="certificate has ended"`, 1)
}

func serialOf(t *testing.T, set *Set) string {
	t.Helper()
	cert, err := set.certificate(&tls.ClientHelloInfo{})
	must(t, err)
	return cert.Leaf.SerialNumber.String()
}

// A start that was cut short after it had written the key is still the first one.
func TestFirstStartThatIsCutShortIsTakenUp(t *testing.T) {
	dir := t.TempDir()
	own := Pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	must(t, MakeSelfSigned(own, "mail.example.org", time.Now()))
	key, err := os.ReadFile(own.Key)
	must(t, err)
	must(t, os.Remove(own.Certificate))
	must(t, MakeSelfSigned(own, "mail.example.org", time.Now()))
	must(t, new(Set).Load(Files{Pairs: []Pair{own}, Private: dir}))
	if again, err := os.ReadFile(own.Key); err != nil || string(again) != string(key) {
		t.Errorf("another key: %v", err)
	}
	must(t, os.Remove(own.Certificate))
	must(t, os.WriteFile(own.Key, []byte("nonsense"), 0o600))
	if err := MakeSelfSigned(own, "mail.example.org", time.Now()); err == nil || !strings.Contains(err.Error(), own.Key) || hint.Of(err) == "" {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
	if _, err := os.Lstat(own.Certificate); err == nil {
		t.Error("a certificate for no key")
	}
}
