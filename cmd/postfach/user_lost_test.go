package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Without its accounts file a folder has no accounts that are known to be none: mail
// waits, and no command makes a file with one account in place of one with all.
func TestLostAccountsFileBouncesNoMail(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	add := func(user string) result {
		return runTool(t, "p\n", "user", "add", user, "--data", data, "--password-stdin")
	}
	add("anna").expect(t, 0, "account anna added", "")
	write(t, filepath.Join(data, "keys", "decoy"), "x", 0o600, data) // a server's
	accounts := filepath.Join(data, "accounts")
	if err := os.Rename(accounts, accounts+".x"); err != nil {
		t.Fatal(err)
	}
	add("otto").expect(t, exitFailed, "", "the accounts file "+accounts+" is gone, and "+filepath.Join(data, "keys", "decoy"))
	for _, user := range []string{"anna", "otto"} {
		runTool(t, "Subject: x\n\n", "deliver", user, "--data", data).expect(t, exitTempFail, "", "accounts: no such file")
	}
	write(t, accounts, "", 0o600, data) // somebody means it
	add("otto").expect(t, 0, "account otto added", "")
}
