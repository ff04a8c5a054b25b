package pop3client

import (
	"context"
	"slices"
	"strings"

	"postfach/pop3"
	"postfach/sasl"
)

// Login logs in with the strongest way that the server announces: SCRAM with
// channel binding, SCRAM, PLAIN, else USER and PASS, or SASL LOGIN where there is
// nothing else. Which hash SCRAM has counts less than whether it binds: who is in
// the middle of TLS gets nowhere with either, and P3-SCRAM-11 wants binding where
// it is offered.
//
// A refusal is final: nothing weaker is tried after it. That is also so when the
// server does not know the type of the channel binding, the first of
// ChannelBindings: it looks the same as somebody in between. Who wants another
// type, or none, says so with Auth or LoginWith. A *pop3.Error with the code AUTH
// says that the credentials are wrong; others have other reasons (P3-RSP-09).
func (c *Client) Login(ctx context.Context, user, password string) error {
	if user == "" {
		return wrap("login", ErrUnsafe)
	}
	if err := c.mayLogIn(user, password); err != nil {
		return wrap("login", err)
	}
	if name := c.strongest(); name != "" {
		return c.LoginWith(ctx, name, user, password)
	}
	c.secrets = []string{password}
	defer c.forget()
	return c.userPass(ctx, user, password)
}

// LoginWith logs in with one SASL mechanism, announced or not, and with no other.
// secret is a password or, for OAUTHBEARER and XOAUTH2, a token; EXTERNAL needs
// none, and user may be empty with it. ErrMechanism: it is not known here.
// ErrNoBinding: its name ends in -PLUS, and the connection has nothing to bind
// to.
func (c *Client) LoginWith(ctx context.Context, mechanism, user, secret string) error {
	if err := c.mayLogIn(user, secret); err != nil {
		return wrap("login", err)
	}
	m, err := c.mechanism(strings.ToUpper(mechanism), user, secret)
	if err != nil {
		return wrap("login", err)
	}
	c.secrets = []string{secret}
	defer c.forget()
	return c.Auth(ctx, m)
}

// LoginToken logs in with a bearer token (RFC 6750): by OAUTHBEARER, else by
// XOAUTH2, whichever the server announces; ErrNoToken: neither. Without TLS it is
// ErrCleartext, to this machine as well (P3-OAUTH-01). A token that it
// refuses is a *sasl.TokenError, with the reason that it gave, beside the
// *pop3.Error.
func (c *Client) LoginToken(ctx context.Context, user, token string) error {
	if err := c.mayWrite(true); err != nil {
		return wrap("login", err)
	}
	for _, name := range []string{sasl.OAuthBearer, sasl.XOAuth2} {
		if c.announces(name) {
			return c.LoginWith(ctx, name, user, token)
		}
	}
	return wrap("login", ErrNoToken)
}

// LoginCertificate logs in with the client certificate in Options.TLS (RFC 4422
// appendix A). identity is whom to act as; empty: whoever the certificate says
// (P3-EXT-03). ErrNoExternal: the server does not announce EXTERNAL, as when it
// has seen no certificate that it takes.
func (c *Client) LoginCertificate(ctx context.Context, identity string) error {
	if c.tls == nil || !c.announces(sasl.External) {
		return wrap("login", ErrNoExternal)
	}
	return c.LoginWith(ctx, sasl.External, identity, "")
}

// mayLogIn refuses what must not be sent before anything is (P3-SYN-26).
func (c *Client) mayLogIn(user, secret string) error {
	if strings.ContainsAny(user+secret, "\x00\r\n") {
		return ErrUnsafe
	}
	return c.mayWriteCredentials()
}

// strongest is the mechanism for a login with a password. Empty: USER and PASS.
// Secrets that a server keeps as they are, for CRAM-MD5, are no passwords.
func (c *Client) strongest() string {
	binds := len(c.ChannelBindings()) > 0
	for _, m := range []struct {
		name  string
		works bool
	}{
		{sasl.ScramSHA256Plus, binds},
		{sasl.ScramSHA1Plus, binds},
		{sasl.ScramSHA256, true},
		{sasl.ScramSHA1, true},
		{sasl.Plain, true},
		{sasl.Login, !c.caps.Has(pop3.CapUser)},
	} {
		if m.works && c.announces(m.name) {
			return m.name
		}
	}
	return ""
}

// announces reports whether the server listed the mechanism. Without SASL in
// CAPA none is tried (P3-AUTH-28).
func (c *Client) announces(mechanism string) bool {
	return slices.ContainsFunc(c.caps.Mechanisms(), func(m string) bool { return strings.EqualFold(m, mechanism) })
}
