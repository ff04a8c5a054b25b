package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

type userAPOPCmd struct {
	User string `arg:""`
	dataFlag
	APOPSecretStdin bool `name:"apop-secret-stdin" help:"Read the secret from the first line of standard input, instead of making one." xor:"what"`
	Remove          bool `help:"Take the secret away." xor:"what"`
}

func (c *userAPOPCmd) Run(ctx context.Context) error {
	if err := c.keepsFiles(); err != nil {
		return err
	}
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

// apopSecret returns a secret that was given or made. Empty: none is wanted.
func apopSecret(ctx context.Context, stdin *bufio.Reader, wanted, given bool) (string, error) {
	switch {
	case given:
		line, err := stdinLine(ctx, stdin, "APOP secret")
		return line, hint.Add(err, "it is one line: with --password-stdin the one after the password")
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
