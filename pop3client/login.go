package pop3client

import (
	"context"
	"slices"
	"strings"

	"postfach/sasl"
)

// Login logs in with the strongest way that the server announces:
// SCRAM-SHA-256, PLAIN, else USER and PASS. A refusal is final: nothing weaker
// is tried after it. A *pop3.Error with the code AUTH says that the
// credentials are wrong; others have other reasons (P3-RSP-09).
func (c *Client) Login(ctx context.Context, user, password string) error {
	if strings.ContainsAny(user+password, "\x00\r\n") || user == "" { // P3-SYN-26
		return wrap("login", ErrUnsafe)
	}
	if err := c.mayWriteCredentials(); err != nil {
		return wrap("login", err)
	}
	c.secrets = []string{password}
	defer c.forget()
	switch {
	case c.announces(sasl.ScramSHA256):
		return c.Auth(ctx, sasl.NewScramSHA256Client(user, password))
	case c.announces(sasl.Plain):
		return c.Auth(ctx, sasl.NewPlainClient("", user, password))
	}
	return c.userPass(ctx, user, password)
}

// announces reports whether the server listed the mechanism. Without SASL in
// CAPA none is tried (P3-AUTH-28).
func (c *Client) announces(mechanism string) bool {
	return slices.ContainsFunc(c.caps.Mechanisms(), func(m string) bool { return strings.EqualFold(m, mechanism) })
}
