package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a file that the user may read whom a tool of root's becomes.
func write(t *testing.T, name, text string, mode os.FileMode, like string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := sameOwner(name, like); err != nil {
		t.Fatal(err)
	}
}

// The tools change and read what the server reads, by its configuration.
func TestAccountsOfAConfiguration(t *testing.T) {
	dir := tempDir(t)
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
	users, elsewhere := filepath.Join(data, "users"), filepath.Join(data, "elsewhere")
	write(t, users, "anna:{PLAIN}p\notto:{PLAIN}p::::::userdb_mail=maildir:"+elsewhere+"\n", 0o600, data)
	write(t, config, "data = \"data\"\naccounts = \"data/users\"\n", 0o644, dir)
	with := []string{"--config", config}
	r := runTool(t, "", append([]string{"user", "list"}, with...)...)
	if r.expect(t, 0, "anna", ""); strings.Contains(r.stdout, "own") {
		t.Errorf("listed:\n%s", r.stdout)
	}
	runTool(t, "p\n", append([]string{"user", "add", "berta", "--password-stdin"}, with...)...).expect(t, 0, "account berta added", "")
	runTool(t, "q\n", append([]string{"user", "passwd", "anna", "--password-stdin"}, with...)...).expect(t, 0, "password of anna changed", "")
	runTool(t, "q\n", append([]string{"user", "passwd", "own", "--password-stdin"}, with...)...).
		expect(t, exitFailed, "", "user own: there is no such account\nhint: postfach user list --config "+config)
	octets, err := os.ReadFile(users)
	if err != nil || !strings.Contains(string(octets), "\nberta:{SCRAM") || !strings.HasPrefix(string(octets), "anna:{SCRAM") {
		t.Errorf("%v:\n%s", err, octets)
	}

	// Mail goes where the server looks for it, to new maildrops, too.
	const message = "Subject: x\n\nx\n"
	for user, where := range map[string]string{"anna": filepath.Join(data, "mail", "anna"), "berta": filepath.Join(data, "mail", "berta")} {
		r := runTool(t, message, append([]string{"deliver", user}, with...)...)
		if r.expect(t, 0, "\n", ""); r.stderr != "" {
			t.Errorf("said:\n%s", r.stderr)
		}
		if files, err := filepath.Glob(filepath.Join(where, "new", strings.TrimSpace(r.stdout)+"*")); err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v", user, files, err)
		}
	}
	runTool(t, message, append([]string{"deliver", "own"}, with...)...).expect(t, exitNoUser, "", `there is no account "own" in `+config)
	runTool(t, message, append([]string{"deliver", "/etc"}, with...)...).expect(t, exitNoUser, "", `there is no account "/etc"`)
	runTool(t, message, append([]string{"deliver", "otto"}, with...)...).expect(t, exitTempFail, "", "hint: postfach user mkdir otto --config "+config)
	runTool(t, "", append([]string{"user", "mkdir", "otto"}, with...)...).expect(t, 0, elsewhere+"\n", "")
	runTool(t, message, append([]string{"deliver", "otto"}, with...)...).expect(t, 0, "\n", "")
	runTool(t, "", append([]string{"user", "mkdir", "nobody"}, with...)...).expect(t, exitFailed, "", `no source knows an account "nobody"`)
	write(t, config, "data = \"data\"\naccounts = \"data/users\"\ncreate_maildirs = false\n", 0o644, dir)
	write(t, users, "carl:{PLAIN}p\n", 0o600, data)
	runTool(t, message, append([]string{"deliver", "carl"}, with...)...).expect(t, exitTempFail, "", "postfach user mkdir carl")
}

// Of several sources, the file that has the account is changed. A program knows no
// names: its accounts have a maildrop when somebody has made it.
func TestAccountsOfSeveralSources(t *testing.T) {
	dir := tempDir(t)
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
	users := filepath.Join(data, "users")
	write(t, users, "anna:{PLAIN}p\n", 0o600, data)
	write(t, config, "data = \"data\"\n[[source]]\ntype = \"sql\"\nurl = \"postgres://localhost:1/x\"\nquery = \"SELECT password FROM u WHERE n = @user\"\n"+
		"[[source]]\ntype = \"file\"\n[[source]]\ntype = \"file\"\npath = \"data/users\"\n", 0o644, dir)
	with := []string{"--config", config}
	runTool(t, "q\n", append([]string{"user", "passwd", "anna", "--password-stdin"}, with...)...).expect(t, 0, "", "")
	runTool(t, "q\n", append([]string{"user", "add", "berta", "--password-stdin"}, with...)...).expect(t, 0, "", "note: the server asks sql first: if that knows berta")
	if octets, _ := os.ReadFile(users); !strings.HasPrefix(string(octets), "anna:{SCRAM") || strings.Contains(string(octets), "berta") {
		t.Errorf("the second file:\n%s", octets)
	}
	runTool(t, "", append([]string{"user", "list"}, with...)...).expect(t, 0, "anna", "those of sql are not listed")
	// A source that does not answer may know the name.
	if r := runTool(t, "x\n", append([]string{"deliver", "anna"}, with...)...); r.code != exitTempFail {
		t.Errorf("exit code %d\n%s", r.code, r.stderr)
	}

	write(t, config, "data = \"data\"\n[[source]]\ntype = \"program\"\ncommand = [\"/bin/true\"]\n", 0o644, dir)
	runTool(t, "q\n", append([]string{"user", "add", "dora", "--password-stdin"}, with...)...).expect(t, exitFailed, "", "its accounts are kept by program")
	runTool(t, "x\n", append([]string{"deliver", "paula"}, with...)...).expect(t, exitNoUser, "", "hint: postfach user mkdir paula")
	runTool(t, "", append([]string{"user", "mkdir", "paula"}, with...)...).expect(t, 0, filepath.Join(data, "mail", "paula"), "")
	runTool(t, "x\n", append([]string{"deliver", "paula"}, with...)...).expect(t, 0, "\n", "")
}

// A file that cannot be read may have the account: to look into the next one, or to
// say that there is none, would be a guess.
func TestFileThatCannotBeReadIsNotTakenForEmpty(t *testing.T) {
	dir := tempDir(t)
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
	users := filepath.Join(data, "users")
	write(t, config, "data = \"data\"\n[[source]]\ntype = \"file\"\n[[source]]\ntype = \"file\"\npath = \"data/users\"\n", 0o644, dir)
	remove := func() result { return runTool(t, "", "user", "remove", "anna", "--config", config) }
	remove().expect(t, exitFailed, "", "user anna: there is no such account") // without the file there is none in it
	write(t, users, "anna:{PLAIN}p\n", 0o600, data)
	if err := os.Chmod(users, 0o644); err != nil {
		t.Fatal(err)
	}
	remove().expect(t, exitFailed, "", users+" is open to others (mode 0644)\nhint: chmod 600 ")
	if err := os.Chmod(users, 0o600); err != nil {
		t.Fatal(err)
	}
	remove().expect(t, 0, "account anna removed", "")
}

// Root's tools use what the installed service reads, as long as it is about the same
// folder.
func TestInstalledConfigurationIsRoots(t *testing.T) {
	dir := t.TempDir()
	installed := filepath.Join(dir, "postfachd.toml")
	if err := os.WriteFile(installed, []byte("data = \"/srv/x\"\naccounts = \"/srv/users\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data string
		root bool
		used bool
	}{{"", true, true}, {"/srv/x/", true, true}, {"/srv/y", true, false}, {"", false, false}, {"/srv/x", false, false}} {
		d := dataFlag{Data: c.data}
		cfg, err := d.configuration(installed, c.root)
		if err != nil || (cfg.Accounts != "") != c.used || (d.Config != "") != c.used {
			t.Errorf("--data %q: %+v, %v, --config %q", c.data, cfg, err, d.Config)
		}
	}
	d := dataFlag{}
	if cfg, err := d.configuration(filepath.Join(dir, "missing"), true); err != nil || cfg.Accounts != "" {
		t.Errorf("without one: %+v, %v", cfg, err)
	}
}

func TestUserToolsExplainThemselves(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	run := func(stdin string, args ...string) result {
		t.Helper()
		return runTool(t, stdin, append(args, "--data", data)...)
	}
	run("p\n", "user", "add", "anna", "--password-stdin").expect(t, 0, "", "")
	run("", "user", "app", "add", "anna").expect(t, exitUsage, "", "hint: postfach user app add --help\n")
	run("", "user", "frob").expect(t, exitUsage, "", "hint: postfach user --help\n")
	run("", "user", "main", "anna", "off").expect(t, exitFailed, "", "postfach: user anna: there is no such app password\nhint: make one first")
	run("", "user", "main", "--help").expect(t, 0, "<on|off>", "")
	run("", "user", "app", "add", "anna", "phone", "--app-passwords-only").expect(t, 0, "shown only now: ", "the dashes are part of it")
	run("", "user", "app", "remove", "anna", "phone").expect(t, 0, "removed", "note: it was the last one, and the account's own password is off")
	run("p\n", "user", "add", "carl", "--password-stdin", "--scheme", "argon2id").expect(t, 0, "", "note: SCRAM-SHA-256 is offered while every open account can use it")

	// What is refused leaves nothing behind, and mail that was there stays.
	run("\n", "user", "add", "bob", "--password-stdin").expect(t, exitFailed, "", "it is empty")
	for _, left := range []string{"mail/bob", "maildirs/bob"} {
		if _, err := os.Lstat(filepath.Join(data, left)); err == nil {
			t.Errorf("%s was left", left)
		}
	}
	run("p\n", "user", "add", "anna", "--password-stdin").expect(t, exitFailed, "", "")
	if _, err := os.Lstat(filepath.Join(data, "mail", "anna", "new")); err != nil {
		t.Error(err)
	}

	// Bad lines are told, and can be repaired.
	accounts := filepath.Join(data, "accounts")
	write(t, accounts, "anna:{LANMAN}x\nberta:{LANMAN}x\n", 0o600, data)
	run("p\n", "user", "passwd", "anna", "--password-stdin").expect(t, 0, "password of anna changed", "accounts:2: user berta: scheme \"LANMAN\"")
	if r := run("", "user", "remove", "berta"); r.code != 0 || strings.Contains(r.stderr, "note: the server") {
		t.Errorf("%d\n%s", r.code, r.stderr)
	}
	if !logsIn(t, data, "anna", "p") {
		t.Error("not repaired")
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(accounts, 0, 0); err != nil {
			t.Fatal(err)
		}
		run("", "user", "list").expect(t, exitFailed, "", "must own it: chown ")
	}
}
