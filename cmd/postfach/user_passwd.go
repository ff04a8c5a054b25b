package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

type userPasswdCmd struct {
	User string `arg:""`
	dataFlag
	passwordFlags
}

func (c *userPasswdCmd) Run(ctx context.Context) error {
	if err := c.keepsFiles(); err != nil {
		return err
	}
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

// passwordFlags are how a password is given and kept.
type passwordFlags struct {
	PasswordStdin bool   `help:"Read the password from the first line of standard input."`
	Scheme        string `help:"How the password is kept: ${enum}." enum:"scram-sha-256,argon2id" default:"scram-sha-256"`
	ScramSHA1     bool   `name:"scram-sha-1" help:"Keep it for SCRAM-SHA-1, too, for clients that know nothing newer."`
}

// password reads the new password, from standard input or, twice, from a
// person.
func (p *passwordFlags) password(ctx context.Context, stdin *bufio.Reader) (string, error) {
	if p.ScramSHA1 && strings.EqualFold(p.Scheme, accounts.Argon2id) {
		return "", &exitError{hint.Add(errors.New("--scheme argon2id, and --scram-sha-1"), "argon2id does without SCRAM: leave one of the two out"), exitUsage}
	}
	if p.PasswordStdin {
		line, err := stdinLine(ctx, stdin, "password")
		return line, hint.Add(err, "the password is the first line")
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		err := errors.New("there is no terminal to ask for the password")
		return "", &exitError{hint.Add(err, "give it on standard input, with --password-stdin"), exitUsage}
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
