package main

import (
	"fmt"
	"os"
	"path/filepath"

	"postfach/internal/lastlogin"
)

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
	if a, err := findAccount(editor, c.User); err == nil && a.Maildir != "" {
		dir = a.Maildir
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
