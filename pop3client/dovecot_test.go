//go:build unix

package pop3client_test

import (
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"postfach/internal/peer"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/sasl"
)

// Somebody else's server, in TLS 1.2 and 1.3: what it announces, and each
// mechanism by itself. It has no channel binding, so the flag is y.
func TestDovecotMechanisms(t *testing.T) {
	d := peer.StartDovecotWith(t, "plain login cram-md5 scram-sha-1 scram-sha-256", peer.User{Name: "ben", Password: "hunter 22"})
	for _, conf := range []*tls.Config{d.Cert.Client, tls12(d.Cert.Client)} {
		for _, name := range []string{"", sasl.ScramSHA256, sasl.ScramSHA1, sasl.Plain, sasl.Login, sasl.CramMD5} {
			c, h := dial(t, d.TLS, pop3client.Options{TLS: conf})
			login := func(password string) error {
				if name == "" {
					return c.Login(t.Context(), "ben", password)
				}
				return c.LoginWith(t.Context(), name, "ben", password)
			}
			if err := login("hunter 22"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := h.logins(); name == "" && !slices.Equal(got, []string{"AUTH SCRAM-SHA-256"}) {
				t.Errorf("%q of %q", got, c.Capabilities().Mechanisms())
			}
			if err := c.Quit(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	c, _ := dial(t, d.TLS, pop3client.Options{TLS: d.Cert.Client})
	if err := c.Login(t.Context(), "ben", "hunter 23"); !errors.Is(err, &pop3.Error{Code: pop3.CodeAuth}) {
		t.Errorf("a wrong password: %v", err)
	}
}
