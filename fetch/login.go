package fetch

import (
	"context"
	"errors"
	"fmt"

	"postfach/pop3"
	"postfach/pop3client"
	"postfach/sasl"
)

// ErrMechanism: a mechanism was asked for that is not known here.
var ErrMechanism = errors.New("unknown login mechanism")

// Login logs in as a pop URL says: auth is "" or "*" for the strongest way that
// the server announces, "+APOP", or the one mechanism that is allowed
// (P3-URL-03). Before that it asks for UTF-8 mode where it is announced, so
// that messages come as they are (P3-UTF-13).
func Login(ctx context.Context, c *pop3client.Client, user, password, auth string) error {
	login, err := way(c, user, password, auth)
	if err != nil {
		return err
	}
	if c.Capabilities().Has(pop3.CapUTF8) {
		var no *pop3.Error
		if err := c.UTF8(ctx); err != nil && !errors.As(err, &no) { // P3-UTF-02
			return err
		}
	}
	return login(ctx)
}

func way(c *pop3client.Client, user, password, auth string) (func(context.Context) error, error) {
	switch auth {
	case "", "*":
		return func(ctx context.Context) error { return c.Login(ctx, user, password) }, nil
	case "+APOP":
		return func(ctx context.Context) error { return c.APOP(ctx, user, password) }, nil
	case sasl.Plain:
		return func(ctx context.Context) error { return c.Auth(ctx, sasl.NewPlainClient("", user, password)) }, nil
	case sasl.ScramSHA256:
		return func(ctx context.Context) error { return c.Auth(ctx, sasl.NewScramSHA256Client(user, password)) }, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrMechanism, auth)
}
