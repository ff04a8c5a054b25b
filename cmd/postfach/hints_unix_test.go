//go:build unix

package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/datafolder"
	"postfach/internal/unprivileged"
	"postfach/internal/vfs"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root gets these hints")
	}
}

func lacks(t *testing.T, r result, text string) {
	t.Helper()
	if strings.Contains(r.stdout+r.stderr, text) {
		t.Errorf("it says %q:\n%s", text, r.stderr)
	}
}

// Whoever mistypes --data as root is not told to give the system away.
func TestNoToolAdvisesToChownTheSystem(t *testing.T) {
	needRoot(t)
	for _, args := range [][]string{
		{"user", "list", "--data", "/"},
		{"user", "list", "--data", "/etc"},
		{"explore", "--data", "/etc"},
		{"deliver", "x", "--data", "/var"},
		{"user", "mkdir", "x", "--data", "/usr"},
	} {
		r := runTool(t, "x\n", args...)
		if lacks(t, r, "chown"); r.code == 0 || !strings.Contains(r.stderr, "hint: this is no data folder of Postfach's: name another one with --data DIR\n") {
			t.Errorf("%v: exit code %d\n%s", args, r.code, r.stderr)
		}
	}
}

// What is missing is told by the folder where it is missing, and chown is for what is
// in the data folder.
func TestHintNamesTheFolderThatCannotBeWritten(t *testing.T) {
	needRoot(t)
	dir := tempDir(t)
	data, spool, config := filepath.Join(dir, "data"), filepath.Join(dir, "spool"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	uid := strconv.Itoa(int(owner(t, data)))
	must(t, os.Mkdir(spool, 0o755))
	write(t, filepath.Join(data, "users"), "anna:{PLAIN}p\nberta:{PLAIN}p::::::userdb_mail=maildir:"+spool+"/berta\n", 0o600, data)
	write(t, config, "data = \"data\"\naccounts = \"data/users\"\n", 0o644, dir)

	r := runTool(t, "", "user", "mkdir", "berta", "--config", config)
	r.expect(t, exitFailed, "", "hint: uid "+uid+", whose data folder "+data+" is, cannot write to "+spool+"; as root: install -d -m 700 -o "+uid)
	lacks(t, r, "chown")

	inbox := filepath.Join(data, "mail", "anna", "new")
	must(t, os.Chown(inbox, 0, 0))
	runTool(t, "x\n", "deliver", "anna", "--data", data).
		expect(t, exitTempFail, "", "must own it: chown "+uid+" "+inbox+", as root\n")
	must(t, os.Remove(inbox), os.Chown(filepath.Dir(inbox), 0, 0), os.Chmod(filepath.Dir(inbox), 0o755))
	runTool(t, "x\n", "deliver", "anna", "--data", data).
		expect(t, exitTempFail, "", "must own it: chown "+uid+" "+filepath.Dir(inbox)+", as root\n")
}

// What its owner has closed by the mode is opened by the mode: chown would do nothing. A
// Maildir elsewhere may be another user's, so it is said what a delivery needs there.
func TestHintNamesTheModeThatClosesAMaildir(t *testing.T) {
	needRoot(t)
	dir := tempDir(t)
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	inbox := filepath.Join(data, "mail", "anna")
	elsewhere := filepath.Join(dir, "berta")
	for folder, mode := range map[string]os.FileMode{"": 0o300, "tmp": 0o300, "new": 0o500} {
		folder = filepath.Join(inbox, folder)
		must(t, os.Chmod(folder, mode))
		r := runTool(t, "x\n", "deliver", "anna", "--data", data)
		r.expect(t, exitTempFail, "", folder+" is closed to its owner: chmod u+rwX "+folder+"\n")
		lacks(t, r, "chown")
		must(t, os.Chmod(folder, 0o700))
	}
	runTool(t, "x\n", "deliver", "anna", "--data", data).expect(t, 0, "", "")

	must(t, os.Rename(inbox, elsewhere), os.Chown(elsewhere, 0, 0), os.Chmod(elsewhere, 0o711))
	write(t, filepath.Join(data, "users"), "berta:{PLAIN}p::::::userdb_mail=maildir:"+elsewhere+"\n", 0o600, data)
	write(t, config, "data = \"data\"\naccounts = \"data/users\"\n", 0o644, dir)
	r := runTool(t, "x\n", "deliver", "berta", "--config", config)
	r.expect(t, exitTempFail, "", "cannot use "+elsewhere+": a delivery reads and searches the Maildir, ")
	lacks(t, r, "chown")
	must(t, os.Chmod(elsewhere, 0o755)) // it need not write there
	runTool(t, "x\n", "deliver", "berta", "--config", config).expect(t, 0, "", "")
}

// A file that another program uses, too, stays that program's.
func TestHintLeavesFilesElsewhereToTheirOwners(t *testing.T) {
	needRoot(t)
	dir := tempDir(t)
	data, users, config := filepath.Join(dir, "data"), filepath.Join(dir, "users"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	must(t, os.WriteFile(users, []byte("anna:{PLAIN}p\n"), 0o640))
	write(t, config, "data = \"data\"\naccounts = \"users\"\n", 0o644, dir)
	r := runTool(t, "", "user", "list", "--config", config)
	r.expect(t, exitFailed, "", "whose data folder "+data+" is, cannot use "+users+": let it, by the owner, the group or the mode")
	lacks(t, r, "chown")
}

// A Maildir that is missing is told once.
func TestMissingMaildropIsToldOnce(t *testing.T) {
	dir := tempDir(t)
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	must(t, os.RemoveAll(filepath.Join(data, "mail", "anna")))
	write(t, config, "data = \"data\"\n", 0o644, dir)
	r := runTool(t, "x\n", "deliver", "anna", "--config", config)
	r.expect(t, exitTempFail, "", "hint: postfach user mkdir anna --config "+config)
	for _, text := range []string{"there is no such maildrop", "deliver to"} {
		if strings.Count(r.stderr, text) != 1 {
			t.Errorf("%q is there %d times:\n%s", text, strings.Count(r.stderr, text), r.stderr)
		}
	}
}

// serverSays makes it look as if a server ran in the folder that reads this file.
func serverSays(t *testing.T, data, file string) (stop func()) {
	t.Helper()
	f := datafolder.Folder(data)
	write(t, f.AccountFiles(), file+"\n", 0o600, data)
	lock, err := vfs.OS{}.Lock(f.Run())
	must(t, err)
	t.Cleanup(func() { lock.Close() })
	return func() { must(t, lock.Close()) }
}

// An account in a file that the running server does not read lets nobody in, whatever
// configuration named the file.
func TestFileThatTheRunningServerDoesNotReadIsRefused(t *testing.T) {
	dir := tempDir(t)
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml")
	runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
	write(t, config, "data = \"data\"\n", 0o644, dir)
	stop := serverSays(t, data, filepath.Join(data, "users"))
	add := func(flag, value string) result {
		t.Helper()
		return runTool(t, "p\n", "user", "add", "anna", flag, value, "--password-stdin")
	}
	said := "does not read " + filepath.Join(data, "accounts") + ", but " + filepath.Join(data, "users")
	add("--data", data).expect(t, exitFailed, "", said+"\nhint: name its configuration with --config FILE")
	add("--config", config).expect(t, exitFailed, "", said+"\nhint: it has another configuration than "+config)
	// A server in a container has names that mean nothing here.
	write(t, datafolder.Folder(data).AccountFiles(), "/nowhere/data/accounts\n", 0o600, data)
	add("--data", data).expect(t, exitFailed, "", "but /nowhere/data/accounts\nhint: name its configuration with --config FILE")
	runTool(t, "p\n", "user", "add", "carla", "--config", config, "--password-stdin").expect(t, 0, "account carla added", "note: the server that uses")
	// What a server has left that was killed says nothing.
	stop()
	add("--config", config).expect(t, 0, "", "")
	// A file is the same one by another name.
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(data, link))
	serverSays(t, data, filepath.Join(link, "accounts"))
	runTool(t, "p\n", "user", "add", "berta", "--config", config, "--password-stdin").expect(t, 0, "", "")
}

func owner(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Sys().(*syscall.Stat_t).Uid
}

// Restrictions are seen where accounts are looked at, and slips of the hand are told.
func TestListShowsWhatRestrictsAnAccount(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
	write(t, filepath.Join(data, "accounts"), "anna:{PLAIN}p::::::pop3=no tls=required client_cert=required allow_nets=10.0.0.0/8\n"+
		"berta:{PLAIN}p::::::tls=no alow_nets=10.0.0.0/8 userdb_mail=maildir:/srv/b\n", 0o600, data)
	r := runTool(t, "", "user", "list", "--data", data)
	r.expect(t, 0, "pop3=no tls=required client_cert=required allow_nets=10.0.0.0/8", `note: fields of berta that mean nothing here: "alow_nets", did you mean allow_nets?`)
	lacks(t, r, "tls=no")
	r = runTool(t, "", "user", "list", "--data", data, "--json")
	for _, want := range []string{`"maildrop": "` + data + `/mail/anna"`, `"maildrop": "/srv/b"`, `"tls=required"`, `"unknown"`} {
		r.expect(t, 0, want, "")
	}
}

// Mail for people of another folder must not bounce because nobody said which folder:
// the caller has one, too.
func TestDeliverDoesNotBounceWhereNoFolderWasNamed(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	data := filepath.Join(state, "postfach")
	runTool(t, "x\n", "deliver", "anna").expect(t, exitTempFail, "", "hint: ")
	runTool(t, "p\n", "user", "add", "own", "--password-stdin").expect(t, 0, "", "")
	runTool(t, "x\n", "deliver", "own").expect(t, 0, "\n", "")
	runTool(t, "x\n", "deliver", "anna").expect(t, exitTempFail, "", "hint: name the accounts with --data DIR or --config FILE")
	runTool(t, "x\n", "deliver", "anna", "--data", data).expect(t, exitNoUser, "", "hint: postfach user list --data "+data)
	// Nor where the folder that was named is not there, or has lost its accounts.
	runTool(t, "x\n", "deliver", "anna", "--data", data+"2").expect(t, exitTempFail, "", "hint: ")
	must(t, os.Remove(filepath.Join(data, "accounts")))
	runTool(t, "x\n", "deliver", "own", "--data", data).expect(t, exitTempFail, "", "hint: ")
}

// A slip in a mail server's configuration keeps mail in its queue.
func TestWrongCommandLineBouncesNoMail(t *testing.T) {
	for _, args := range [][]string{{"deliver"}, {"deliver", "anna", "--dat", "x"}, {"deliver", "anna", "berta"}} {
		runTool(t, "x\n", args...).expect(t, exitTempFail, "", "hint: postfach deliver --help")
	}
	runTool(t, "", "user", "add", "deliver", "--dat", "x").expect(t, exitUsage, "", "")
}

// An MTA runs deliver as a user of its own: the accounts are not given to that one.
func TestDeliverOfAnotherUserIsNotToldToOwnTheAccounts(t *testing.T) {
	needRoot(t)
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	must(t, os.Chmod(data, 0o755), os.Chmod(filepath.Join(data, "accounts"), 0o644))
	deliver := tool(t, "deliver", "anna", "--data", data)
	program := filepath.Join(tempDir(t), "postfach")
	octets, err := os.ReadFile(deliver.Path)
	must(t, err, os.WriteFile(program, octets, 0o755))
	deliver.Path, deliver.Dir, deliver.Stdin = program, "/", strings.NewReader("x\n")
	deliver.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	for _, mode := range []os.FileMode{0o600, 0o640} {
		must(t, os.Chmod(filepath.Join(data, "accounts"), mode))
		again := *deliver
		again.Stdin = strings.NewReader("x\n")
		out, _ := again.CombinedOutput()
		if code := again.ProcessState.ExitCode(); code != exitTempFail || !strings.Contains(string(out), "hint: run this as the owner of "+data) {
			t.Errorf("mode %#o: exit code %d\n%s", mode, code, out)
		}
	}
}

// Where no file keeps accounts, nobody is asked for a password first.
func TestNobodyIsAskedForAPasswordInVain(t *testing.T) {
	dir := tempDir(t)
	config := filepath.Join(dir, "f.toml")
	write(t, config, "data = \"data\"\n[[source]]\ntype = \"ldap\"\nurl = \"ldaps://localhost:1\"\nbase = \"o=x\"\nfilter = \"(uid={user})\"\n", 0o644, dir)
	for _, command := range []string{"add", "passwd", "apop"} {
		runTool(t, "", "user", command, "anna", "--config", config).expect(t, exitFailed, "", "its accounts are kept by ldap\nhint: change them there")
	}
}

// What a configuration needs depends on why it cannot be read.
func TestConfigurationThatCannotBeReadHasAFittingHint(t *testing.T) {
	dir := tempDir(t)
	for name, want := range map[string]string{
		filepath.Join(dir, "none"): "hint: --config names the file that the server is started with",
		dir:                        "hint: --config names a file",
	} {
		r := runTool(t, "", "user", "list", "--config", name)
		r.expect(t, exitFailed, "", want)
		lacks(t, r, "postfachd starts")
	}
}

// A server that is confined does not see what is made elsewhere while it runs.
func TestMkdirOutOfTheServersReachSaysSo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("servers are confined on Linux")
	}
	dir := tempDir(t)
	data, config, spool := filepath.Join(dir, "data"), filepath.Join(dir, "f.toml"), filepath.Join(dir, "spool")
	runTool(t, "p\n", "user", "add", "own", "--data", data, "--password-stdin").expect(t, 0, "", "")
	must(t, os.Mkdir(spool, 0o777), os.Chmod(spool, 0o777))
	accounts := filepath.Join(data, "accounts")
	write(t, accounts, "anna:{PLAIN}p::::::userdb_mail=maildir:"+spool+"/anna\n", 0o600, data)
	mkdir := func(settings string) result {
		t.Helper()
		write(t, config, "data = \"data\"\n"+settings, 0o644, dir)
		return runTool(t, "", "user", "mkdir", "anna", "--config", config)
	}
	const said = "cannot use"
	lacks(t, mkdir(""), said) // no server runs
	serverSays(t, data, accounts)
	r := mkdir("")
	r.expect(t, 0, spool+"/anna\n", "note: the server that runs cannot use "+spool+"/anna before a restart")
	lacks(t, mkdir("confine_mail = [\""+spool+"\"]\n"), said)
	lacks(t, mkdir("confine = false\n"), said)
}
