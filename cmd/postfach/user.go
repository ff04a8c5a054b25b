package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"postfach/internal/accounts"
	"postfach/internal/hint"
	"postfach/internal/lastlogin"
)

// userCmd keeps the accounts of a data folder, or of a configuration. Changes hold at once, while a
// server runs.
type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Make an account and its Maildir."`
	Passwd userPasswdCmd `cmd:"" help:"Change an account's password."`
	App    userAppCmd    `cmd:"" help:"Give an account passwords for single programs, or take them away."`
	Main   userMainCmd   `cmd:"" help:"Say whether an account's own password lets somebody in, or only app passwords do."`
	Cert   userCertCmd   `cmd:"" help:"Say which client certificates are an account's."`
	Apop   userAPOPCmd   `cmd:"" help:"Give an account a secret for APOP, or take it away."`
	List   userListCmd   `cmd:"" help:"List the accounts."`
	Remove userRemoveCmd `cmd:"" help:"Remove an account. Its mail stays."`
	Mkdir  userMkdirCmd  `cmd:"" help:"Make the Maildir of an account that came without one."`
}

// passwordFlags are how a password is given and kept.
type passwordFlags struct {
	PasswordStdin bool   `help:"Read the password from the first line of standard input."`
	Scheme        string `help:"How the password is kept: ${enum}." enum:"scram-sha-256,argon2id" default:"scram-sha-256"`
	ScramSHA1     bool   `name:"scram-sha-1" help:"Keep it for SCRAM-SHA-1, too, for clients that know nothing newer."`
}

type userAddCmd struct {
	User string `arg:"" help:"User name: a-z 0-9 . _ + @ -"`
	dataFlag
	passwordFlags
	APOP            bool `name:"apop" help:"Make a secret for APOP, too, and show it once."`
	APOPSecretStdin bool `name:"apop-secret-stdin" help:"Read the APOP secret from standard input, from the line after the password."`
}

// Run makes the Maildir first: an account without one could not log in.
func (c *userAddCmd) Run(ctx context.Context) error {
	if err := accounts.CheckName(c.User); err != nil {
		return err
	}
	if c.APOPSecretStdin && !c.PasswordStdin {
		return hint.Add(errors.New("--apop-secret-stdin needs --password-stdin"), "give the password on the first line and the secret on the second")
	}
	stdin := bufio.NewReader(os.Stdin)
	password, err := c.password(ctx, stdin)
	if err != nil {
		return err
	}
	secret, err := apopSecret(ctx, stdin, c.APOP, c.APOPSecretStdin)
	if err != nil {
		return err
	}
	if err := c.load(); err != nil {
		return err
	}
	folder := c.folder()
	if err := folder.Make(); err != nil {
		return err
	}
	if err := folder.Doubt(); err != nil {
		fmt.Fprintf(os.Stderr, "note: %v\nhint: %s\n", err, hint.Of(err))
	}
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	if err := folder.MakeParts(); err != nil {
		return err
	}
	mail := filepath.Join(folder.Mail(), c.User)
	undo, err := c.makeMaildir(mail)
	if err != nil {
		return err
	}
	err = editor.Add(accounts.NewAccount{User: c.User, Password: password, Scheme: c.Scheme, APOP: secret, ScramSHA1: c.ScramSHA1})
	if err != nil {
		undo()
	}
	if errors.Is(err, accounts.ErrExists) {
		return hint.Add(err, "change its password with postfach user passwd %s", c.User)
	}
	if err != nil {
		return c.hinted(err)
	}
	fmt.Printf("account %s added\n", c.User)
	if hasMail(mail) { // of an account that was removed, or of an MTA that was faster
		fmt.Fprintf(os.Stderr, "note: the mail that is already in %s is %s's now\n", mail, c.User)
	}
	showAPOP(secret, c.APOPSecretStdin)
	c.noteScheme(c.Scheme)
	c.noteOrder(editor, c.User)
	return nil
}

type userPasswdCmd struct {
	User string `arg:""`
	dataFlag
	passwordFlags
}

func (c *userPasswdCmd) Run(ctx context.Context) error {
	password, err := c.password(ctx, bufio.NewReader(os.Stdin))
	if err != nil {
		return err
	}
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	if err := editor.SetPassword(c.User, password, c.Scheme, c.ScramSHA1); err != nil {
		return c.hinted(err)
	}
	fmt.Printf("password of %s changed\n", c.User)
	c.noteScheme(c.Scheme)
	noteBad(editor)
	return nil
}

type userAPOPCmd struct {
	User string `arg:""`
	dataFlag
	APOPSecretStdin bool `name:"apop-secret-stdin" help:"Read the secret from the first line of standard input, instead of making one." xor:"what"`
	Remove          bool `help:"Take the secret away." xor:"what"`
}

func (c *userAPOPCmd) Run(ctx context.Context) error {
	secret, err := apopSecret(ctx, bufio.NewReader(os.Stdin), !c.Remove, c.APOPSecretStdin)
	if err != nil {
		return err
	}
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	if err := editor.SetAPOP(c.User, secret); err != nil {
		return c.hinted(err)
	}
	if c.Remove {
		fmt.Printf("%s has no APOP secret any more\n", c.User)
		return nil
	}
	fmt.Printf("APOP secret of %s set\n", c.User)
	showAPOP(secret, c.APOPSecretStdin)
	return nil
}

type userRemoveCmd struct {
	User string `arg:""`
	dataFlag
}

func (c *userRemoveCmd) Run() error {
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.folder().Mail(), c.User)
	if list, err := editor.List(); err == nil {
		for _, a := range list {
			if a.User == c.User && a.Maildir != "" {
				dir = a.Maildir
			}
		}
	}
	if err := editor.Remove(c.User); err != nil {
		return c.hinted(err)
	}
	if err := lastlogin.Remove(nil, c.folder().LastLogins(), c.User); err != nil { // another account may get the name
		fmt.Fprintf(os.Stderr, "note: what was known of its last logins stays: %v\n", err)
	}
	fmt.Printf("account %s removed; the mail stays in %s\n", c.User, dir)
	noteBad(editor)
	return nil
}

// password reads the new password, from standard input or, twice, from a
// person.
func (p *passwordFlags) password(ctx context.Context, stdin *bufio.Reader) (string, error) {
	if p.PasswordStdin {
		line, err := stdinLine(ctx, stdin, "password")
		return line, hint.Add(err, "one line each: the password, then the APOP secret")
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", hint.Add(errors.New("there is no terminal to ask for the password"), "give it on standard input, with --password-stdin")
	}
	password, err := prompt(ctx, "new password: ")
	if err != nil {
		return "", err
	}
	again, err := prompt(ctx, "once more: ")
	if err == nil && again != password {
		err = errors.New("the two passwords differ")
	}
	return password, err
}

// prompt reads a line from the terminal, without showing it.
func prompt(ctx context.Context, text string) (string, error) {
	fd := int(os.Stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(os.Stderr, text)
	line, err := await(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return "", errors.Join(err, term.Restore(fd, state))
	}
	return string(line), nil
}

// apopSecret returns a secret that was given or made. Empty: none is wanted.
func apopSecret(ctx context.Context, stdin *bufio.Reader, wanted, given bool) (string, error) {
	switch {
	case given:
		line, err := stdinLine(ctx, stdin, "APOP secret")
		return line, hint.Add(err, "one line each: the password, then the APOP secret")
	case wanted:
		return accounts.NewAPOPSecret(), nil
	}
	return "", nil
}

// showAPOP shows a secret that was made: nobody can ever ask for it again.
func showAPOP(secret string, given bool) {
	switch {
	case secret != "" && !given:
		fmt.Printf("APOP secret, shown only now: %s\n", secret)
	case secret != "" && accounts.WeakAPOPSecret(secret):
		fmt.Fprintln(os.Stderr, "warning: the APOP secret is short, and whoever sees one login can try guesses on it\nhint: let postfach user apop make one")
	}
}

// stdinLine reads one line, which is what.
func stdinLine(ctx context.Context, stdin *bufio.Reader, what string) (string, error) {
	line, err := await(ctx, func() (string, error) { return stdin.ReadString('\n') })
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", fmt.Errorf("read the %s from standard input: %w", what, err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// await returns what f returns, or ctx's error: a read from a terminal cannot
// be interrupted, but it can be left behind by a program that ends.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// hasMail reports whether there is something in a Maildir.
func hasMail(dir string) bool {
	for _, sub := range []string{"new", "cur"} {
		if entries, err := os.ReadDir(filepath.Join(dir, sub)); err == nil && len(entries) > 0 {
			return true
		}
	}
	return false
}
