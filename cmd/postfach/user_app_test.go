package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"postfach/internal/datafolder"
	"postfach/internal/lastlogin"
)

func TestUserAppPasswords(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "main\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	r := runTool(t, "", "user", "app", "add", "anna", "phone", "--data", data)
	r.expect(t, 0, "app password of anna for phone, shown only now: ", "")
	phone := strings.TrimSpace(r.stdout[strings.LastIndexByte(r.stdout, ' '):])
	if !regexp.MustCompile(`^([a-z2-7]{4}-){4}[a-z2-7]{4}$`).MatchString(phone) {
		t.Errorf("app password %q", phone)
	}
	if !logsIn(t, data, "anna", phone) || !logsIn(t, data, "anna", "main") {
		t.Error("one of the two passwords lets nobody in")
	}
	runTool(t, "", "user", "app", "add", "anna", "phone", "--data", data).
		expect(t, exitFailed, "", "there is such an app password already\nhint: choose another name")
	runTool(t, "", "user", "app", "add", "anna", "My Phone", "--data", data).expect(t, exitFailed, "", "an app password cannot have the name")
	runTool(t, "", "user", "app", "add", "otto", "phone", "--data", data).expect(t, exitFailed, "", "there is no such account")

	// A new password leaves the others as they are.
	runTool(t, "new\n", "user", "passwd", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	if !logsIn(t, data, "anna", phone) || !logsIn(t, data, "anna", "new") || logsIn(t, data, "anna", "main") {
		t.Error("a new password changes the wrong one")
	}
	runTool(t, "", "user", "main", "anna", "off", "--data", data).expect(t, 0, "anna can log in with app passwords only\n", "")
	if !logsIn(t, data, "anna", phone) || logsIn(t, data, "anna", "new") {
		t.Error("the account's own password still lets somebody in")
	}
	r = runTool(t, "", "user", "app", "add", "anna", "laptop", "--app-passwords-only", "--data", data)
	r.expect(t, 0, "anna can log in with app passwords only\n", "")

	r = runTool(t, "", "user", "app", "list", "anna", "--data", data)
	r.expect(t, 0, "(its own password, off)", "")
	r.expect(t, 0, "phone                    "+time.Now().Format(time.DateOnly)+"  never", "")
	r = runTool(t, "", "user", "app", "list", "anna", "--data", data, "--json")
	var u listedUser
	if err := json.Unmarshal([]byte(r.stdout), &u); err != nil || len(u.AppPasswords) != 2 || u.AppPasswords[1].Name != "laptop" || !u.AppPasswordsOnly {
		t.Errorf("%v\n%s", err, r.stdout)
	}
	if strings.Contains(r.stdout, phone) || strings.Contains(r.stdout, "SCRAM-SHA-256}") {
		t.Errorf("a secret is listed:\n%s", r.stdout)
	}

	runTool(t, "", "user", "app", "remove", "anna", "phone", "--data", data).expect(t, 0, "app password of anna for phone removed\n", "")
	if logsIn(t, data, "anna", phone) {
		t.Error("a removed password lets somebody in")
	}
	runTool(t, "", "user", "app", "remove", "anna", "phone", "--data", data).
		expect(t, exitFailed, "", "there is no such app password\nhint: postfach user app list anna")
	runTool(t, "", "user", "main", "anna", "on", "--data", data).expect(t, 0, "anna can log in with the account's own password\n", "")
	if !logsIn(t, data, "anna", "new") {
		t.Error("the account's own password is still off")
	}
	runTool(t, "p\n", "user", "add", "otto", "--data", data, "--password-stdin").expect(t, 0, "", "")
	runTool(t, "", "user", "main", "otto", "off", "--data", data).
		expect(t, exitFailed, "", "there is no such app password\nhint: make one first: postfach user app add otto NAME")
	runTool(t, "", "user", "main", "otto", "maybe", "--data", data).expect(t, exitUsage, "", "")
}

func TestLastLoginsAreListed(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	runTool(t, "", "user", "app", "add", "anna", "phone", "--data", data).expect(t, 0, "", "")
	logins := lastlogin.NewRecorder(nil, datafolder.Folder(data).LastLogins(), nil)
	at := time.Date(2026, 3, 4, 5, 6, 0, 0, time.Local)
	logins.Note("anna", "phone", lastlogin.Login{Time: at, Address: "192.0.2.7", Mechanism: "PLAIN", TLS: "TLS 1.3"})
	logins.Note("anna", "", lastlogin.Login{Time: at.Add(-time.Hour), Address: "192.0.2.\x1b[31m", Mechanism: "PASS"})
	if err := logins.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(datafolder.Folder(data).LastLogins(), "anna"), 0o644); err != nil { // the tool is not root
		t.Fatal(err)
	}
	runTool(t, "", "user", "list", "--data", data).expect(t, 0, "1     2026-03-04 05:06  ", "")
	r := runTool(t, "", "user", "app", "list", "anna", "--data", data)
	r.expect(t, 0, "  2026-03-04 05:06  192.0.2.7 by PLAIN, TLS 1.3\n", "")
	r.expect(t, 0, "  2026-03-04 04:06  192.0.2.\ufffd[31m by PASS, no TLS\n", "")
	// What comes under the name later has not logged in yet.
	runTool(t, "", "user", "app", "remove", "anna", "phone", "--data", data).expect(t, 0, "", "")
	runTool(t, "", "user", "app", "add", "anna", "phone", "--data", data).expect(t, 0, "", "")
	if r = runTool(t, "", "user", "app", "list", "anna", "--data", data); strings.Contains(r.stdout, "192.0.2.7") {
		t.Errorf("a new app password has the last login of an old one:\n%s", r.stdout)
	}
	runTool(t, "", "user", "remove", "anna", "--data", data).expect(t, 0, "", "")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	runTool(t, "", "user", "list", "--data", data).expect(t, 0, "0     never", "")
}

func TestUserScramSHA1(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	has := func() bool {
		t.Helper()
		r := runTool(t, "", "user", "list", "--data", data, "--json")
		return strings.Contains(r.stdout, `"scram_sha_1": true`)
	}
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin", "--scram-sha-1").expect(t, 0, "", "")
	if !has() {
		t.Error("no verifier after add")
	}
	runTool(t, "q\n", "user", "passwd", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	if !has() || !logsIn(t, data, "anna", "q") {
		t.Error("no verifier after passwd")
	}
	runTool(t, "q\n", "user", "passwd", "anna", "--data", data, "--password-stdin", "--scheme", "argon2id").expect(t, 0, "", "")
	if has() {
		t.Error("a verifier beside argon2id")
	}
	runTool(t, "q\n", "user", "add", "otto", "--data", data, "--password-stdin", "--scheme", "argon2id", "--scram-sha-1").
		expect(t, exitUsage, "", "--scheme argon2id, and --scram-sha-1\nhint: ")
}
