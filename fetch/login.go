package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"postfach/pop3"
	"postfach/pop3client"
	"postfach/sasl"
)

// ErrMechanism: a mechanism was asked for that is not known here.
var ErrMechanism = pop3client.ErrMechanism

// Login logs in as a pop URL says: auth is "" or "*" for the strongest way that
// the server announces, "+APOP", or the one mechanism that is allowed
// (P3-URL-03). "+TOKEN" is any mechanism that takes secret for a bearer token;
// with EXTERNAL there is no secret, but a client certificate. Before the login it
// asks for UTF-8 mode where it is announced, so that messages come as they are
// (P3-UTF-13).
func Login(ctx context.Context, c *pop3client.Client, user, secret, auth string) error {
	if known := append(pop3client.Mechanisms(), "", "*", "+APOP", "+TOKEN"); !slices.Contains(known, auth) {
		return fmt.Errorf("%w: %s", ErrMechanism, auth)
	}
	if c.Capabilities().Has(pop3.CapUTF8) {
		var no *pop3.Error
		if err := c.UTF8(ctx); err != nil && !errors.As(err, &no) { // P3-UTF-02
			return err
		}
	}
	switch auth {
	case "", "*":
		return c.Login(ctx, user, secret)
	case "+APOP":
		return c.APOP(ctx, user, secret)
	case "+TOKEN":
		return c.LoginToken(ctx, user, secret)
	case sasl.External:
		return c.LoginCertificate(ctx, user)
	}
	return c.LoginWith(ctx, auth, user, secret)
}
