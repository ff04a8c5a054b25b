package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A program knows no names: its accounts have a maildrop when somebody has made it.
// One that is not there may be on a disk that is away, and then its mail waits.
func TestNoMailBouncesWhileADiskIsAway(t *testing.T) {
	for _, c := range []struct {
		name     string
		maildir  string // the source's; empty: mail/ of the data folder
		happened func(data, mail string) error
		code     int
	}{
		{"nobody had a maildrop of that name", "", func(string, string) error { return nil }, exitNoUser},
		{"an empty mount point", "", func(_, mail string) error { return emptied(mail) }, exitTempFail},
		{"an empty mount point, and no notes", "", func(data, mail string) error {
			os.RemoveAll(filepath.Join(data, "maildirs"))
			return emptied(mail)
		}, exitTempFail},
		{"the mount point is gone", "", func(_, mail string) error { return os.RemoveAll(mail) }, exitTempFail},
		{"a loop of links", "", func(_, mail string) error { return os.Symlink("paula", filepath.Join(mail, "paula")) }, exitTempFail},
		{"a link to a disk that is away", "", func(_, mail string) error { return os.Symlink("/nowhere/paula", filepath.Join(mail, "paula")) }, exitTempFail},
		{"mail is a loop of links", "", func(_, mail string) error {
			os.RemoveAll(mail)
			return os.Symlink("mail", mail)
		}, exitTempFail},
		{"mail cannot be looked into", "", func(_, mail string) error { return os.Chmod(mail, 0) }, exitTempFail},
		{"there is a note of it", "", func(data, _ string) error {
			return os.WriteFile(filepath.Join(data, "maildirs", "paula"), nil, 0o600)
		}, exitTempFail},
		{"it was logged in to", "", func(data, _ string) error {
			os.Mkdir(filepath.Join(data, "lastlogin"), 0o755)
			return os.WriteFile(filepath.Join(data, "lastlogin", "paula"), nil, 0o644)
		}, exitTempFail},
		{"elsewhere, where nothing is known", "elsewhere", func(data, _ string) error {
			os.MkdirAll(filepath.Join(data, "elsewhere", "otto"), 0o755)
			return os.Chmod(filepath.Join(data, "elsewhere"), 0o755)
		}, exitTempFail},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tempDir(t)
			data, config := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml")
			runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
			source := "data = \"data\"\n[[source]]\ntype = \"program\"\ncommand = [\"/bin/true\"]\n"
			if c.maildir != "" {
				source += "maildir = \"" + filepath.Join(data, c.maildir) + "/{user}\"\n"
			}
			write(t, config, source, 0o644, dir)
			mail := filepath.Join(data, "mail")
			if err := c.happened(data, mail); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(mail, 0o700) //nolint:errcheck // for the one that cleans up
			runTool(t, "x\n", "deliver", "paula", "--config", config).expect(t, c.code, "", "hint: ")
		})
	}
}

// emptied takes away all that is in a folder, as an unmounted disk does.
func emptied(dir string) error {
	if err := os.Rename(dir, dir+"-away"); err != nil {
		return err
	}
	info, err := os.Stat(dir + "-away")
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, info.Mode().Perm()); err != nil {
		return err
	}
	return sameOwner(dir, dir+"-away")
}

// Root's tools read what the installed service reads. One that is there and cannot be
// understood may have more accounts than the folder.
func TestInstalledConfigurationWithASlipIsNotTakenForNone(t *testing.T) {
	dir := t.TempDir()
	installed := filepath.Join(dir, "postfachd.toml")
	if err := os.WriteFile(installed, []byte("data = \"/srv/x\"\nacounts = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "/srv/x", "/srv/y"} {
		d := dataFlag{Data: data}
		if _, err := d.configuration(installed, true); err == nil {
			t.Errorf("--data %q: taken for none", data)
		}
	}
	d := dataFlag{Data: "/srv/x"}
	if _, err := d.configuration(filepath.Join(installed, "x"), true); err == nil {
		t.Error("what cannot be looked for is taken for none")
	}
}

// That there is no account is final only where it is certain which accounts are meant:
// with --data alone, root's tools look into the installed configuration, too, and
// those of others do not.
func TestNoAccountIsFinalOnlyWhereTheAccountsAreNamed(t *testing.T) {
	dir := t.TempDir()
	installed, missing := filepath.Join(dir, "postfachd.toml"), filepath.Join(dir, "missing")
	if err := os.WriteFile(installed, []byte("data = \"/srv/x\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flag      dataFlag
		installed string
		root      bool
		named     bool
	}{
		{dataFlag{Config: installed}, installed, false, true},
		{dataFlag{Config: installed}, missing, true, true},
		{dataFlag{Data: "/srv/x"}, missing, true, true},
		{dataFlag{Data: "/srv/x"}, missing, false, true},
		{dataFlag{Data: "/srv/x"}, installed, true, false},
		{dataFlag{Data: "/srv/x"}, installed, false, false},
		{dataFlag{Data: "/srv/y"}, installed, true, false},
		{dataFlag{}, installed, true, false},
		{dataFlag{}, installed, false, false},
		{dataFlag{}, missing, true, false},
	} {
		d := c.flag
		if _, err := d.configuration(c.installed, c.root); err != nil || d.named != c.named {
			t.Errorf("%+v, root %t: named %t, want %t (%v)", c.flag, c.root, d.named, c.named, err)
		}
	}
}

// A folder of a Maildir that goes while a message comes costs another try, and no advice
// about accounts. Nothing of the message stays.
func TestFolderThatGoesInADelivery(t *testing.T) {
	for _, gone := range []string{"new", "tmp"} {
		data := filepath.Join(tempDir(t), "data")
		runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
		dir := filepath.Join(data, "mail", "anna")
		cmd, stderr := tool(t, "deliver", "anna", "--data", data), &strings.Builder{}
		cmd.Stderr = stderr
		stdin, err := cmd.StdinPipe()
		must(t, err, cmd.Start())
		_, err = stdin.Write(make([]byte, 1<<20)) // more than a pipe holds: it has begun
		must(t, err, os.RemoveAll(filepath.Join(dir, gone)), stdin.Close())
		cmd.Wait()
		result{stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}.
			expect(t, exitTempFail, "", "hint: a folder of the Maildir was there, and is gone: try again\n")
		for _, folder := range []string{"new", "tmp"} {
			if names, err := os.ReadDir(filepath.Join(dir, folder)); len(names) > 0 || err == nil && folder == gone {
				t.Errorf("%s is gone, and %s has %v, %v", gone, folder, names, err)
			}
		}
	}
}
