package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
)

// toolArgs makes the test binary the program itself.
const toolArgs = "POSTFACH_TEST_TOOL_ARGS"

func TestMain(m *testing.M) {
	text, ok := os.LookupEnv(toolArgs)
	if !ok {
		os.Exit(m.Run())
	}
	var args []string
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		panic(err)
	}
	os.Exit(run(args))
}

// tempDir is t.TempDir, open for the user that a tool of root's becomes.
func tempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tool is postfach with these arguments, as a process of its own.
func tool(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), toolArgs+"="+string(text), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// A result is how a program ended.
type result struct {
	stdout, stderr string
	code           int
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func runTool(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	cmd := tool(t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// expect checks the exit code and what both outputs contain.
func (r result) expect(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout, stdout) || !strings.Contains(r.stderr, stderr) {
		t.Errorf("exit code %d, want %d\nstdout: %s\n  want: %s\nstderr: %s\n  want: %s", r.code, code, r.stdout, stdout, r.stderr, stderr)
	}
	if code != 0 && code != exitUsage && !strings.Contains(r.stderr, "\nhint: ") {
		t.Errorf("no hint:\n%s", r.stderr)
	}
}

// logsIn checks a password against the folder's accounts.
func logsIn(t *testing.T, data, user, password string) bool {
	t.Helper()
	f := datafolder.Folder(data)
	who := &accounts.Directory{Sources: []accounts.Source{&accounts.File{Path: f.Accounts(), Key: f.APOPKey()}}}
	_, err := who.Authenticate(t.Context(), nil, user, password)
	return err == nil
}

func TestUserAddMakesAccountAndMaildir(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, " geheim \n", "user", "add", "anna", "--data", data, "--password-stdin").
		expect(t, 0, "account anna added\n", "")
	if !logsIn(t, data, "anna", " geheim ") || logsIn(t, data, "anna", "geheim") {
		t.Error("the password is not what was given")
	}
	for path, mode := range map[string]os.FileMode{"": 0o700, "accounts": 0o600, "mail/anna": 0o700, "mail/anna/new": 0o700, "mail/anna/cur": 0o700, "mail/anna/tmp": 0o700} {
		if info, err := os.Stat(filepath.Join(data, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	runTool(t, "other\n", "user", "add", "anna", "--data", data, "--password-stdin").
		expect(t, exitFailed, "", "postfach: user anna: there is such an account already\nhint: change its password with postfach user passwd anna")
	runTool(t, "x\n", "user", "add", "../anna", "--data", data, "--password-stdin").
		expect(t, exitFailed, "", `user name "../anna" is not allowed`)
	runTool(t, "", "user", "add", "berta", "--data", data, "--password-stdin").
		expect(t, exitFailed, "", "read the password from standard input")
	runTool(t, "\n", "user", "add", "berta", "--data", data, "--password-stdin").
		expect(t, exitFailed, "", "the password cannot be used: it is empty")
	runTool(t, "x\n", "user", "add", "berta", "--data", data).
		expect(t, exitUsage, "", "there is no terminal to ask for the password\nhint: give it on standard input, with --password-stdin")
	runTool(t, "x\n", "user", "add", "berta", "--data", data, "--password-stdin", "--scheme", "plain").
		expect(t, exitUsage, "", "--scheme must be one of")
}

func TestUserPasswd(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "old\r\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	if !logsIn(t, data, "anna", "old") {
		t.Error("a line end from Windows became part of the password")
	}
	runTool(t, "new", "user", "passwd", "anna", "--data", data, "--password-stdin", "--scheme", "argon2id").
		expect(t, 0, "password of anna changed\n", "")
	if logsIn(t, data, "anna", "old") || !logsIn(t, data, "anna", "new") {
		t.Error("the password has not changed")
	}
	runTool(t, "new", "user", "passwd", "otto", "--data", data, "--password-stdin").
		expect(t, exitFailed, "", "user otto: there is no such account\nhint: postfach user list")
	runTool(t, "new", "user", "passwd", "otto", "--data", data+"x", "--password-stdin").expect(t, exitFailed, "", "hint: ")
}

func TestUserAPOP(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	secretOf := func(user string) string {
		t.Helper()
		f := datafolder.Folder(data)
		who := &accounts.Directory{Sources: []accounts.Source{&accounts.File{Path: f.Accounts(), Key: f.APOPKey()}}}
		_, secret, _ := who.Secret(t.Context(), nil, user)
		return secret
	}
	r := runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin", "--apop")
	r.expect(t, 0, "APOP secret, shown only now: ", "")
	if secret := secretOf("anna"); secret == "" || !strings.Contains(r.stdout, ": "+secret+"\n") {
		t.Errorf("shown:\n%s\nsecret: %s", r.stdout, secret)
	}
	r = runTool(t, "p\ntanstaaf\n", "user", "add", "mrose", "--data", data, "--password-stdin", "--apop-secret-stdin")
	r.expect(t, 0, "account mrose added\n", "warning: the APOP secret is short")
	if secretOf("mrose") != "tanstaaf" || strings.Contains(r.stdout, "tanstaaf") {
		t.Errorf("secret %q, shown:\n%s", secretOf("mrose"), r.stdout)
	}
	runTool(t, "a longer secret, given\n", "user", "apop", "anna", "--data", data, "--apop-secret-stdin").expect(t, 0, "APOP secret of anna set\n", "")
	if secretOf("anna") != "a longer secret, given" {
		t.Error(secretOf("anna"))
	}
	runTool(t, "", "user", "apop", "anna", "--data", data, "--remove").expect(t, 0, "anna has no APOP secret any more\n", "")
	if secretOf("anna") != "" || !logsIn(t, data, "anna", "p") {
		t.Error("the secret is still there, or the password is not")
	}
	runTool(t, "x\n", "user", "passwd", "mrose", "--data", data, "--password-stdin", "--scheme", "argon2id").
		expect(t, exitFailed, "", "an account with argon2id cannot have an APOP secret")
	runTool(t, "secret\n", "user", "add", "otto", "--data", data, "--apop-secret-stdin").
		expect(t, exitUsage, "", "--apop-secret-stdin needs --password-stdin")
	runTool(t, "secret\n", "user", "add", "otto", "--data", data, "--password-stdin", "--apop", "--scheme", "argon2id").
		expect(t, exitUsage, "", "--scheme argon2id, and a secret for APOP")
	r = runTool(t, "", "user", "add", "otto", "--data", data, "--password-stdin")
	if r.expect(t, exitFailed, "", "hint: the password is the first line\n"); strings.Contains(r.stderr, "APOP") {
		t.Errorf("who asked for APOP?\n%s", r.stderr)
	}
}

func TestUserListAndRemove(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin", "--apop").expect(t, 0, "", "")
	runTool(t, "p\n", "user", "add", "otto@example.org", "--data", data, "--password-stdin", "--scheme", "argon2id").expect(t, 0, "", "")
	r := runTool(t, "", "user", "list", "--data", data)
	r.expect(t, 0, "anna              SCRAM-SHA-256  yes   0     never       "+filepath.Join(data, "mail", "anna"), "")
	r.expect(t, 0, "otto@example.org  ARGON2ID       no    0     never", "")
	r = runTool(t, "", "user", "list", "--data", data, "--json")
	var list []accounts.Account
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || len(list) != 2 || !list[0].APOP || list[1].User != "otto@example.org" {
		t.Errorf("%v, %+v\n%s", err, list, r.stdout)
	}
	runTool(t, "", "user", "remove", "anna", "--data", data).
		expect(t, 0, "account anna removed; the mail stays in "+filepath.Join(data, "mail", "anna")+"\n", "")
	if _, err := os.Stat(filepath.Join(data, "mail", "anna", "new")); err != nil {
		t.Error(err)
	}
	runTool(t, "", "user", "remove", "anna", "--data", data).expect(t, exitFailed, "", "there is no such account")
	runTool(t, "", "user", "list", "--data", data+"x").expect(t, exitFailed, "", "there are no accounts in")
}

func TestDeliver(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	const message = "Subject: test\r\n\r\n.dots\r\n\x00\xff no line end"
	r := runTool(t, message, "deliver", "anna", "--data", data)
	r.expect(t, 0, "\n", "")
	id := strings.TrimSpace(r.stdout)
	files, err := filepath.Glob(filepath.Join(data, "mail", "anna", "new", id+"*"))
	if err != nil || id == "" || len(files) != 1 {
		t.Fatalf("id %q: %v, %v", id, files, err)
	}
	if octets, err := os.ReadFile(files[0]); err != nil || string(octets) != message {
		t.Errorf("stored %q, %v", octets, err)
	}
	runTool(t, message, "deliver", "otto", "--data", data).expect(t, exitNoUser, "", `there is no account "otto"`)
	runTool(t, message, "deliver", "../anna", "--data", data).expect(t, exitNoUser, "", "there is no account")
	runTool(t, "", "deliver", "anna", "--data", data).expect(t, exitDataErr, "", "the message is empty")
	runTool(t, message, "deliver", "anna", "--data", data+"x").expect(t, exitTempFail, "", "")
	if err := os.WriteFile(filepath.Join(data, "accounts"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runTool(t, message, "deliver", "anna", "--data", data).expect(t, exitTempFail, "", "accounts:1: expected user:{SCHEME}secret")
}

func TestDeliverWithoutTheMaildirCanBeTriedAgain(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	if err := os.RemoveAll(filepath.Join(data, "mail", "anna")); err != nil { // as if its disk were not mounted
		t.Fatal(err)
	}
	if r := runTool(t, "x\n", "deliver", "anna", "--data", data); r.code != exitTempFail {
		t.Errorf("exit code %d\n%s", r.code, r.stderr)
	}
}
