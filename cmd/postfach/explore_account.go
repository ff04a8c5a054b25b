package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/internal/remotes"
)

// picker gathers the accounts that the command line and the file name.
func (c *exploreCmd) picker(ctx context.Context) (*explore.Picker, error) {
	known, err := c.known()
	if err != nil {
		return nil, err
	}
	p := &explore.Picker{
		Parse:     func(typed string) (explore.Account, error) { return c.parse(known, typed, false) },
		ParseSTLS: func(typed string) (explore.Account, error) { return c.parse(known, typed, true) },
	}
	if c.Data != "" {
		if err := c.enterData(p); err != nil {
			return nil, err
		}
	}
	for _, a := range known {
		p.Accounts = append(p.Accounts, explore.Remote(a, c.Timeout))
	}
	if c.Account != "" {
		p.Start, err = c.start(ctx, known)
	}
	return p, err
}

// parse makes an account of what a person typed. stls: that is what they chose.
func (c *exploreCmd) parse(known []remotes.Account, typed string, stls bool) (explore.Account, error) {
	a, err := c.account(known, typed)
	if err != nil {
		return explore.Account{}, err
	}
	a.STLS = a.STLS || stls
	return explore.Remote(*a, c.Timeout), nil
}

// known reads the file of accounts. Only one that was asked for must be there.
func (c *exploreCmd) known() ([]remotes.Account, error) {
	file := c.file()
	if file == "" {
		return nil, nil
	}
	if c.Config != "" {
		if _, err := os.Stat(c.Config); err != nil {
			return nil, &exitError{hint.Add(err, "docs/accounts.toml is an example of such a file"), exitUsage}
		}
	}
	accounts, err := remotes.Load(file)
	if err != nil {
		return nil, &exitError{err, exitUsage}
	}
	return accounts, nil
}

// file is the file of accounts; empty: there is no home for one.
func (c *exploreCmd) file() string { return cmp.Or(c.Config, remotes.DefaultFile()) }

// account is what a person named: an account of the file, or where one is. The
// flags about TLS are for the latter: what the file says of an account, it says.
func (c *exploreCmd) account(known []remotes.Account, typed string) (*remotes.Account, error) {
	for _, a := range known {
		if a.Name == typed {
			return &a, nil
		}
	}
	a, err := remotes.Parse(typed)
	if err != nil {
		return nil, err
	}
	if a.URL.User == "" && c.Data == "" {
		a.URL.User = c.User
	}
	if a.URL.User == "" && len(known) > 0 && !strings.ContainsAny(typed, ".:@") {
		return nil, hint.Add(c.unknown(known, typed), "or type where an account is: me@mail.example.org")
	}
	if a.URL.User == "" {
		return nil, hint.Add(fmt.Errorf("%s: the user is missing", a.URL.Host), "for example me@mail.example.org, or pop3s://me@mail.example.org")
	}
	c.flags(a)
	return a, nil
}

// unknown says that the file has no account of this name, and which it has.
func (c *exploreCmd) unknown(known []remotes.Account, typed string) error {
	const enough = 20
	var names []string
	for _, a := range known[:min(len(known), enough)] {
		names = append(names, a.Name)
	}
	if len(known) > enough {
		names = append(names, "...")
	}
	return fmt.Errorf("no account %s in %s; there are: %s", typed, c.file(), strings.Join(names, ", "))
}

// flags adds what the command line says of connections.
func (c *exploreCmd) flags(a *remotes.Account) {
	if c.CAFile != "" {
		a.CAFile, a.CAFileAt = c.CAFile, ""
	}
	a.STLS = a.STLS || c.STLS
	a.AllowCleartext = a.AllowCleartext || c.AllowCleartext
}

// start is the account of the command line. Passwords from there, and from the
// environment, are for it alone: another server must not see them.
func (c *exploreCmd) start(ctx context.Context, known []remotes.Account) (*explore.Account, error) {
	a, err := c.account(known, c.Account)
	switch {
	case err != nil:
		return nil, &exitError{err, exitUsage}
	case c.User != "" && a.URL.User != c.User:
		err := fmt.Errorf("--user %s, and an account of %s", c.User, a.URL.User)
		return nil, &exitError{hint.Add(err, "leave one of the two out"), exitUsage}
	}
	c.flags(a)
	a.Pin = cmp.Or(c.Pin, a.Pin)
	a.PasswordCommand = cmp.Or(c.PasswordCommand, a.PasswordCommand)
	if err := c.addTo(a, c.accountPassword.given()); err != nil {
		return nil, err
	}
	account := explore.Remote(*a, c.Timeout)
	if _, err := a.Options(); err != nil {
		return nil, &exitError{err, exitUsage}
	}
	environment, given := os.LookupEnv("POSTFACH_PASSWORD")
	switch {
	case c.PasswordStdin:
		password, err := c.password(ctx, a.URL.User, a.URL.Host)
		if err == nil && password == "" {
			err = &exitError{hint.Add(errors.New("the password is empty"), "it is the first line of standard input"), exitUsage}
		}
		if err != nil {
			return nil, err
		}
		account = knowing(account, password)
	case !a.HasCommand() && !a.NeedsNoSecret() && given && environment != "":
		account = knowing(account, environment)
	}
	return &account, nil
}

// knowing returns the account with its password, also when another certificate
// is trusted.
func knowing(a explore.Account, password string) explore.Account {
	a.Password = func(context.Context) (string, error) { return password, nil }
	trust := a.Trust
	a.Trust = func(pin string) explore.Account { return knowing(trust(pin), password) }
	return a
}
