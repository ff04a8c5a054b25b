//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
)

// addAccount makes one with an empty maildrop, for the owner of the data folder.
func addAccount(t *testing.T, data, user, password string) {
	t.Helper()
	folder := datafolder.Folder(data)
	must(t, accounts.Editor{Path: folder.Accounts(), Key: folder.APOPKey()}.Add(accounts.NewAccount{User: user, Password: password}))
	mail := filepath.Join(folder.Mail(), user)
	info, err := os.Stat(folder.Mail())
	must(t, err)
	for _, dir := range []string{mail, filepath.Join(mail, "cur"), filepath.Join(mail, "new"), filepath.Join(mail, "tmp")} {
		must(t, os.Mkdir(dir, 0o700))
		must(t, sameOwner(dir, info))
	}
	must(t, sameOwner(folder.Accounts(), info))
}

// sameOwner gives a file to the owner of another one.
func sameOwner(name string, as os.FileInfo) error {
	stat := as.Sys().(*syscall.Stat_t)
	return os.Chown(name, int(stat.Uid), int(stat.Gid))
}
