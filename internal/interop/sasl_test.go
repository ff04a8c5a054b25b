//go:build unix

package interop

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/peer"
	"postfach/sasl"
)

// A saslClient is somebody else's program that can be told which mechanism to use.
type saslClient struct {
	name       string
	needs      string
	mechanisms []string
	// login logs in over TLS. The error is nil if that worked.
	login func(t *testing.T, w *world, home, mechanism, password string) (output string, err error)
}

func saslClients() []saslClient {
	return []saslClient{
		{"mpop", "mpop", []string{sasl.ScramSHA256, sasl.Plain, sasl.Login, sasl.CramMD5}, mpopSASL},
		{"curl", "curl", []string{sasl.Plain, sasl.Login, sasl.CramMD5}, curlSASL}, // Debian's has no SCRAM
		{"Authen::SASL", "perl", []string{sasl.Plain, sasl.Login, sasl.CramMD5}, perlSASL},
	}
}

func mpopSASL(t *testing.T, w *world, home, mechanism, password string) (string, error) {
	rc := fmt.Sprintf(`account default
host localhost
port %s
user %s
password %s
auth %s
tls on
tls_starttls off
tls_trust_file %s
uidls_file %s
delivery mda /bin/false
`, w.tls, user, password, strings.ToLower(mechanism), w.ca(), filepath.Join(home, "uidls"))
	return run(t, home, "", "mpop", "-C", write(t, filepath.Join(home, "mpoprc"), rc, 0o600), "--auth-only")
}

func curlSASL(t *testing.T, w *world, home, mechanism, password string) (string, error) {
	return run(t, home, "", "curl", "-q", "-sS", "-4", "--cacert", w.ca(), "--user", user+":"+password,
		"--login-options", "AUTH="+mechanism, "pop3s://localhost:"+w.tls)
}

func perlSASL(t *testing.T, w *world, home, mechanism, password string) (string, error) {
	script, err := filepath.Abs("testdata/sasl_authen.pl")
	if err != nil {
		t.Fatal(err)
	}
	return run(t, home, password+"\n", "perl", script, w.tls, mechanism, user, w.ca())
}

// Every mechanism that a client and postfachd share logs in with the right
// password, and does not with a wrong one.
func TestSASLClients(t *testing.T) {
	w := build(t)
	w.addUser(t, user, password, true) // CRAM-MD5 has the secret of APOP
	w.startHasty(t, `mechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"]`+"\n")
	w.put(t, user, awkward.Messages()[:1])
	for _, c := range saslClients() {
		t.Run(c.name, func(t *testing.T) {
			peer.Need(t, c.needs)
			for _, mechanism := range c.mechanisms {
				for _, right := range []bool{true, false} {
					try := password
					if !right {
						try = "not." + password
					}
					out, err := c.login(t, w, t.TempDir(), mechanism, try)
					if (err == nil) != right {
						t.Errorf("%s with the right password %t: %v\n%s", mechanism, right, err, out)
					}
				}
			}
		})
	}
}
