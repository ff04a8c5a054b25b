package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

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
		return &exitError{hint.Add(errors.New("--apop-secret-stdin needs --password-stdin"), "give the password on the first line and the secret on the second"), exitUsage}
	}
	if strings.EqualFold(c.Scheme, accounts.Argon2id) && (c.APOP || c.APOPSecretStdin) {
		return &exitError{hint.Add(errors.New("--scheme argon2id, and a secret for APOP"), "an account with argon2id has none: leave one of the two out"), exitUsage}
	}
	if err := c.keepsFiles(); err != nil {
		return err
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
	if err := folder.LostAccounts(editor.Path); err != nil {
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

// hasMail reports whether there is something in a Maildir.
func hasMail(dir string) bool {
	for _, sub := range []string{"new", "cur"} {
		if entries, err := os.ReadDir(filepath.Join(dir, sub)); err == nil && len(entries) > 0 {
			return true
		}
	}
	return false
}
