package pop3client

import (
	"context"
	"errors"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// User says who wants to log in; Pass follows (RFC 1939 section 7).
func (c *Client) User(ctx context.Context, name string) error {
	if err := c.mayName(name); err != nil {
		return wrap("USER", err)
	}
	_, err := c.command(ctx, "USER", name)
	return err
}

// Pass completes a login that User began.
func (c *Client) Pass(ctx context.Context, password string) error {
	if err := c.maySay(password); err != nil {
		return wrap("PASS", err)
	}
	c.secrets = []string{password}
	defer c.forget()
	if _, err := c.command(ctx, "PASS", password); err != nil {
		return err
	}
	return c.loggedIn(ctx)
}

// userPass is User and Pass, in one flight when the server announces
// PIPELINING (P3-PIPE-05).
func (c *Client) userPass(ctx context.Context, name, password string) error {
	if !c.caps.Has(pop3.CapPipelining) {
		if err := c.User(ctx, name); err != nil {
			return err
		}
		return c.Pass(ctx, password)
	}
	if err := errors.Join(c.mayName(name), c.maySay(password)); err != nil {
		return wrap("USER", err)
	}
	c.secrets = []string{password}
	defer c.forget()
	if err := c.oneFlight(ctx, name, password); err != nil {
		return err
	}
	return c.loggedIn(ctx)
}

func (c *Client) oneFlight(ctx context.Context, name, password string) error {
	release, err := c.begin(ctx)
	if err != nil {
		return wrap("USER", err)
	}
	defer c.end(release)
	lines, err := appendCommand(nil, popwire.CommandFor("USER", name))
	if err == nil {
		lines, err = appendCommand(lines, popwire.CommandFor("PASS", password))
	}
	if err == nil {
		err = c.write(lines)
	}
	if err != nil {
		return wrap("USER", err)
	}
	_, userErr := c.reply()
	var no *pop3.Error
	if userErr != nil && !errors.As(userErr, &no) {
		return wrap("USER", userErr)
	}
	_, err = c.reply()
	if err != nil && userErr != nil {
		return wrap("USER", userErr) // PASS fails because USER did
	}
	return wrap("PASS", err)
}

// mayName checks what goes behind USER and APOP.
func (c *Client) mayName(name string) error {
	if name == "" {
		return ErrUnsafe
	}
	return c.maySay(name)
}

// maySay checks a credential that is sent as it is.
func (c *Client) maySay(s string) error {
	if err := c.mayWriteCredentials(); err != nil {
		return err
	}
	if names, _ := c.caps.Lookup(pop3.CapUTF8); !ascii(s) && !names.Has(pop3.CapUser) { // P3-UTF-08
		return ErrNotASCII
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// forget drops the credentials of a login that is over.
func (c *Client) forget() { c.secrets, c.token = nil, false }

// loggedIn is what follows every successful login: another state, and maybe
// other capabilities (P3-CAPA-08).
func (c *Client) loggedIn(ctx context.Context) error {
	c.state = pop3.Transaction
	return c.refreshCapa(ctx)
}
