package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
	"postfach/pop3server"
)

// certificateOf reports whether the folder's accounts let a certificate in as anna.
func certificateOf(ctx context.Context, data string, cert *x509.Certificate) bool {
	f := datafolder.Folder(data)
	who := &accounts.Directory{Sources: []accounts.Source{&accounts.File{Path: f.Accounts(), Key: f.APOPKey()}}}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}, VerifiedChains: [][]*x509.Certificate{{cert}}}
	got, err := who.Certificate(ctx, &pop3server.Peer{TLS: state}, "")
	return err == nil && got.User == "anna"
}

func TestUserCertificates(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "main\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	file, key, both, cert := holder(t)
	fingerprint := accounts.Fingerprint(cert)
	run := func(stdin string, args ...string) result {
		return runTool(t, stdin, append([]string{"user", "cert"}, append(args, "--data", data)...)...)
	}

	run("", "add", "anna", both).expect(t, 0, "certificate of anna added: "+fingerprint+"\n", "note: it is an authority's")
	if !certificateOf(t.Context(), data, cert) {
		t.Error("the certificate lets nobody in")
	}
	run("", "list", "anna").expect(t, 0, fingerprint+"\n", "")
	var listed []string
	if err := json.Unmarshal([]byte(run("", "list", "anna", "--json").stdout), &listed); err != nil || !reflect.DeepEqual(listed, []string{fingerprint}) {
		t.Errorf("%q, %v", listed, err)
	}
	run("", "add", "anna", file).expect(t, exitFailed, "", "the account has this certificate already")
	run("", "remove", "anna", file).expect(t, 0, "certificate of anna removed: "+fingerprint+"\n", "note: anna lists no certificate any more")
	if certificateOf(t.Context(), data, cert) {
		t.Error("a certificate that was removed lets in")
	}
	run("", "remove", "anna", fingerprint).expect(t, exitFailed, "", "the account has no such certificate\nhint: postfach user cert list anna --data ")

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, another := holder(t)
	run(string(text), "add", "anna", "-").expect(t, 0, fingerprint, "")
	run("", "remove", "anna", strings.ToUpper(accounts.Fingerprint(another))).expect(t, exitFailed, "", "no such certificate")
	run("", "remove", "anna", strings.ToUpper(fingerprint)).expect(t, 0, fingerprint, "")
	run("", "list", "anna", "--json").expect(t, 0, "[]\n", "")

	run("", "add", "anna", key).expect(t, exitFailed, "", "there is no certificate in it\nhint: expected a PEM file")
	run("", "add", "otto", file).expect(t, exitFailed, "", "there is no such account")
	run("", "add", "anna", filepath.Join(data, "nowhere")).expect(t, exitFailed, "", "no such file")
	run("", "remove", "anna", "nonsense").expect(t, exitFailed, "", "hint: give a PEM file, or the fingerprint")
	run("", "list", "otto").expect(t, exitFailed, "", "there is no such account")
	runTool(t, "", "user", "cert", "add", "--help").expect(t, 0, "tls.client_ca", "")
}

func TestDoubtsAboutCertificates(t *testing.T) {
	now := time.Now()
	for want, c := range map[string]*x509.Certificate{
		"":                        {NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}},
		"is it the right file":    {NotAfter: now.Add(time.Hour), IsCA: true},
		"has expired":             {NotAfter: now.Add(-time.Hour)},
		"is not made for clients": {NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
	} {
		notes := doubts(c, 0, now)
		if want == "" && len(notes) > 0 || want != "" && (len(notes) != 1 || !strings.Contains(notes[0], want)) {
			t.Errorf("%q: %q", want, notes)
		}
	}
	if notes := doubts(&x509.Certificate{NotAfter: now.Add(time.Hour)}, 2, now); len(notes) != 1 || !strings.Contains(notes[0], "first of 3") {
		t.Errorf("%q", notes)
	}
}
