package config

import (
	"net/url"
	"reflect"
	"slices"
	"time"

	"postfach/internal/hint"
)

// OIDC says whose bearer tokens are taken, for OAUTHBEARER and XOAUTH2. Without
// an issuer, none.
type OIDC struct {
	Issuer   string   `toml:"issuer"`   // as in the "iss" of its tokens
	Audience []string `toml:"audience"` // what the server is called there: a token is for one of them
	Scope    string   `toml:"scope"`    // words that a token has to be good for; empty: none
	Claim    string   `toml:"claim"`    // which has the user's name
	// TrustEmail takes "email" where the token does not have "email_verified".
	TrustEmail bool `toml:"trust_email"`

	// ClientID and ClientSecretFile let the server ask the issuer about tokens that
	// it cannot read itself. Empty: those are not taken.
	ClientID         string `toml:"client_id"`
	ClientSecretFile string `toml:"client_secret_file" path:"file"`

	CA      string   `toml:"ca" path:"file"` // empty: the system's
	Leeway  Duration `toml:"leeway"`         // between the issuer's clock and ours
	Timeout Duration `toml:"timeout"`        // of one question to the issuer
}

func (c *Config) checkOIDC(d *document) error {
	o := &c.OIDC
	u, err := url.Parse(o.Issuer)
	switch {
	case o.Issuer == "" && !reflect.DeepEqual(*o, Default().OIDC):
		return hint.Add(d.wrong("oidc.issuer", "expected an issuer"), "without one, no tokens are taken")
	case o.Issuer == "":
		return nil
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopbackURL(o.Issuer)):
		return hint.Add(d.wrong("oidc.issuer", "expected an address that begins with https://"), `exactly as the issuer writes itself, as in "https://login.example.org/realms/mail"`)
	case len(o.Audience) == 0 || slices.Contains(o.Audience, ""):
		return hint.Add(d.wrong("oidc.audience", "expected what the server is called at the issuer"), "without it, a token for any other service of the issuer would let people in")
	case o.Claim == "":
		return hint.Add(d.wrong("oidc.claim", "expected the claim with the user's name"), `"email", or "preferred_username" where nobody can choose that for themselves`)
	case (o.ClientID == "") != (o.ClientSecretFile == ""):
		return hint.Add(d.wrong("oidc", "expected both client_id and client_secret_file"), "without the two, the issuer is not asked about tokens")
	case o.Leeway.Duration < 0 || o.Leeway.Duration > 5*time.Minute:
		return hint.Add(d.wrong("oidc.leeway", `expected at most "5m"`), "it is how much clocks may differ")
	case o.Timeout.Duration <= 0:
		return hint.Add(d.wrong("oidc.timeout", "expected more than nothing"), "leave the key out to have the default")
	}
	return nil
}
