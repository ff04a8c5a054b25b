//go:build unix

package interop

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/peer"
)

// A holder tries to log in by EXTERNAL with some program: as user, with a certificate
// or without. err is nil if that worked.
type holder func(t *testing.T, w *world, user string, cert *peer.ClientCertificate) (output string, err error)

func curlExternal(t *testing.T, w *world, user string, cert *peer.ClientCertificate) (string, error) {
	args := []string{"-q", "-sS", "-4", "--cacert", w.ca(), "--user", user + ":", "--login-options", "AUTH=EXTERNAL", "pop3s://localhost:" + w.tls}
	if cert != nil {
		args = append(args, "--cert", cert.CertFile, "--key", cert.KeyFile)
	}
	return run(t, t.TempDir(), "", "curl", args...)
}

func getExternal(t *testing.T, w *world, user string, cert *peer.ClientCertificate) (string, error) {
	home := w.home(t)
	args := []string{"get", "--to", "dir:" + filepath.Join(home, "got"), "--cafile", w.ca(), "pop3s://" + user + "@localhost:" + w.tls}
	if cert != nil {
		return run(t, home, "", w.program("postfach"), append(args, "--client-cert", cert.CertFile, "--client-key", cert.KeyFile)...)
	}
	return run(t, home, "", w.program("postfach"), args...)
}

func opensslExternal(version string) holder {
	return func(t *testing.T, w *world, user string, cert *peer.ClientCertificate) (string, error) {
		// The name is empty: the certificate says whose it is.
		args := []string{"s_client", "-quiet", "-verify_quiet", "-verify_return_error", version, "-CAfile", w.ca(), "-connect", "localhost:" + w.tls}
		if cert != nil {
			args = append(args, "-cert", cert.CertFile, "-key", cert.KeyFile)
		}
		out, err := run(t, t.TempDir(), "AUTH EXTERNAL =\r\nQUIT\r\n", "openssl", args...)
		_, rest, _ := strings.Cut(out, "+OK ")        // the greeting
		_, answer, greeted := strings.Cut(rest, "\n") // to AUTH
		switch {
		case !greeted || answer == "":
			return out, fmt.Errorf("no answer: %w", err)
		case !strings.HasPrefix(answer, "+OK"):
			return out, fmt.Errorf("refused: %q", answer)
		}
		return out, nil
	}
}

// P3-EXT-01 to P3-EXT-04: certificates let in with programs of all kinds, and nothing
// but an account's own one does, signed by the right authority and not revoked.
func TestExternalClients(t *testing.T) {
	peer.Need(t, "curl")
	peer.Need(t, "openssl")
	w := build(t)
	w.addUser(t, user, password, false)
	w.addUser(t, "charles", "another.Secret_43", false)
	w.put(t, user, awkward.Messages()[:1])
	clients, strangers := peer.NewAuthority(t), peer.NewAuthority(t)
	certs := map[string]*peer.ClientCertificate{
		"its own":             clients.Sign(t, "laptop"),
		"another account's":   clients.Sign(t, "charles"),
		"nobody's":            clients.Sign(t, user), // whose name alone is nothing
		"a stranger's":        strangers.Sign(t, "laptop"),
		"one that is revoked": clients.Sign(t, "phone"),
		"none":                nil,
	}
	for name, owner := range map[string]string{"its own": user, "one that is revoked": user, "a stranger's": user, "another account's": "charles"} {
		add := exec.Command(w.program("postfach"), "user", "cert", "add", owner, certs[name].CertFile, "--data", w.data)
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	w.openFile(t, "clients.pem", clients.CAFile)
	crl := w.openFile(t, "crl.pem", clients.Revoke(t))
	p := w.startLogged(t, "--config", w.configure(t, "tls.client_ca = \"clients.pem\"\ntls.client_crl = \"crl.pem\""))

	// The handshake ends with a certificate that is revoked, or of another authority's:
	// those are no logins (P3-EXT-05).
	try := func(want map[string]bool) {
		t.Helper()
		for name, login := range map[string]holder{
			"curl": curlExternal, "postfach get": getExternal, "openssl, TLS 1.2": opensslExternal("-tls1_2"), "openssl, TLS 1.3": opensslExternal("-tls1_3"),
		} {
			for which, cert := range certs {
				out, err := login(t, w, user, cert)
				expected := want[which]
				if strings.HasPrefix(name, "openssl") && which == "another account's" {
					expected = true // and it is that account: see below
				}
				if (err == nil) != expected {
					t.Errorf("%s with %s: %v\n%s", name, which, err, tail(out))
				}
			}
		}
	}
	try(map[string]bool{"its own": true, "one that is revoked": true})
	rewrite(t, crl, readFile(t, clients.Revoke(t, certs["one that is revoked"])))
	if !p.reload(t) {
		t.Error("not reloaded")
	}
	try(map[string]bool{"its own": true})

	// Whose certificate it is decides, and who it wants to be has to fit.
	for which, want := range map[string]string{"its own": "+OK", "another account's": "-ERR [AUTH]", "none": "-ERR"} {
		c := w.dialWith(t, certs[which])
		if reply := c.say("AUTH EXTERNAL " + b64(user)); !strings.HasPrefix(reply, want) {
			t.Errorf("with %s: %s", which, reply)
		}
		c.say("QUIT")
	}
	c := w.dialWith(t, certs["another account's"])
	if reply := c.say("AUTH EXTERNAL ="); reply != "+OK maildrop has 0 messages (0 octets)" { // Charles has none
		t.Errorf("the certificate of charles: %s", reply)
	}
	c.say("QUIT")
	if !strings.Contains(p.Output(), "credential=certificate") {
		t.Error("the log does not say that it was a certificate")
	}
	p.Stop()
}
