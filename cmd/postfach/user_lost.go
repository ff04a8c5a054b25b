package main

import (
	"fmt"
	"os"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
)

// checkLost refuses to make an accounts file anew where a server has served from the
// folder before: with one account in it, mail for all others would bounce for good.
func checkLost(folder datafolder.Folder, editor accounts.Editor) error {
	if editor.Path != folder.Accounts() {
		return nil
	}
	if _, err := os.Lstat(editor.Path); err == nil {
		return nil
	}
	trace := folder.Served()
	if trace == "" {
		return nil
	}
	return hint.Add(fmt.Errorf("the accounts file %s is gone, and %s shows that the folder was in use", editor.Path, trace),
		"put it back from a backup; an empty file there, with mode 0600, begins without any account, and then mail for all of them bounces")
}
