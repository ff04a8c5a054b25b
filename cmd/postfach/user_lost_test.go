package main

import (
	"os"
	"path/filepath"
	"strings"
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

// The same holds for a file elsewhere, whose disk may not be mounted: no command makes it
// anew where a server has served, and no advice leads there.
func TestLostAccountsFileElsewhereIsNotMadeAnew(t *testing.T) {
	for what, line := range map[string]string{"accounts": "accounts = %q\n", "a source": "[[source]]\ntype = \"file\"\npath = %q\n"} {
		t.Run(what, func(t *testing.T) {
			dir := tempDir(t)
			data, disk, cfg := filepath.Join(dir, "data"), filepath.Join(dir, "disk"), filepath.Join(dir, "f.toml")
			accounts := filepath.Join(disk, "users")
			runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
			must(t, os.Mkdir(disk, 0o700))
			must(t, sameOwner(disk, data))
			write(t, cfg, "data = \"data\"\n"+strings.Replace(line, "%q", `"`+accounts+`"`, 1), 0o644, dir)
			add := func(user string) result {
				return runTool(t, "p\n", "user", "add", user, "--config", cfg, "--password-stdin")
			}
			add("anna").expect(t, 0, "account anna added", "")
			must(t, os.Rename(disk, disk+".x"))
			must(t, os.Mkdir(disk, 0o700)) // the mount point
			must(t, sameOwner(disk, data))
			write(t, filepath.Join(data, "keys", "decoy"), "x", 0o600, data)
			add("carl").expect(t, exitFailed, "", "the accounts file "+accounts+" is gone, and "+filepath.Join(data, "keys", "decoy"))
			r := runTool(t, "Subject: x\n\n", "deliver", "anna", "--config", cfg)
			r.expect(t, exitTempFail, "", "is its disk mounted?")
			if strings.Contains(r.stderr, "user add") {
				t.Errorf("advice that makes the others' mail bounce:\n%s", r.stderr)
			}
			if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
				t.Errorf("made in the mount point: %v, %v", left, err)
			}
		})
	}
}
