package oidc

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

// A Config says whose tokens are taken, and which of them.
type Config struct {
	// Issuer is the address of the OpenID provider, as in the "iss" of its tokens.
	Issuer string
	// Audience are the names that this server has there: a token has to be for one
	// of them.
	Audience []string
	// Scope are words, separated by spaces, that a token has to be good for. Empty:
	// none.
	Scope string
	// Claim has the user's name. Empty: "email".
	Claim string
	// TrustEmail takes the claim "email" of an issuer that says nothing of
	// "email_verified": it gives people addresses, and they cannot change them.
	TrustEmail bool

	// ClientID and SecretFile let the server ask the issuer about tokens that it
	// cannot read (RFC 7662). Empty: those are not taken.
	ClientID, SecretFile string
	// CA is a PEM file with the authorities that the issuer's certificate is
	// verified against. Empty: those of the system.
	CA string

	Leeway  time.Duration // between the issuer's clock and ours; 0: 30 s
	Timeout time.Duration // of each question to the issuer; 0: 5 s
	Log     *slog.Logger  // nil: slog.Default

	now func() time.Time // nil: time.Now
}

// atOnce is how many questions about tokens the issuer hears at once.
const atOnce = 8

// maxLeeway is the most that clocks may differ.
const maxLeeway = 5 * time.Minute

func (c *Config) setDefaults() {
	c.Claim, c.Log = cmp.Or(c.Claim, email), cmp.Or(c.Log, slog.Default())
	if c.Leeway <= 0 {
		c.Leeway = 30 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.now == nil {
		c.now = time.Now
	}
}

func (c *Config) check() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return hint.Add(errors.New("expected the issuer's address"), `as in "https://login.example.org/realms/mail"`)
	case !safe(u):
		return hint.Add(fmt.Errorf("%s: tokens and keys would cross the network unprotected", c.Issuer), "expected https://")
	case len(c.Audience) == 0:
		return hint.Add(errors.New("expected an audience"), "without one, a token for any other service of the issuer would do")
	case (c.ClientID == "") != (c.SecretFile == ""):
		return hint.Add(errors.New("expected both client_id and client_secret_file"), "without the two, tokens are read and nobody is asked about them")
	case c.Leeway > maxLeeway:
		return hint.Add(errors.New("the leeway is too long"), "at most %s", maxLeeway)
	}
	for _, a := range c.Audience {
		if a == "" {
			return hint.Add(errors.New("an audience is empty"), "expected a name")
		}
	}
	return nil
}

// safe reports whether what is sent there, and comes from there, is protected.
func safe(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && accounts.Loopback(u.Hostname())
}

// tls returns what the issuer's certificate is verified with.
func (c *Config) tls() (*tls.Config, error) {
	roots, err := accounts.Roots(c.CA)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, err
}
