package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"postfach/internal/hint"
)

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

// passwordFlags are how a password is given and kept.
type passwordFlags struct {
	PasswordStdin bool   `help:"Read the password from the first line of standard input."`
	Scheme        string `help:"How the password is kept: ${enum}." enum:"scram-sha-256,argon2id" default:"scram-sha-256"`
	ScramSHA1     bool   `name:"scram-sha-1" help:"Keep it for SCRAM-SHA-1, too, for clients that know nothing newer."`
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
