package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
	"postfach/internal/lastlogin"
)

func editorIn(data string) accounts.Editor {
	folder := datafolder.Folder(data)
	return accounts.Editor{Path: folder.Accounts(), Key: folder.APOPKey()}
}

// configured writes a configuration that lets tests fail to log in quickly.
func configured(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(text+"\n[limits]\nfailure_delay = \"1ms\"\naddress_delay = \"1ms\"\n"), 0o644))
}

// keptOut tries to log in, after the greeting, with a password that must not do.
func (c *client) keptOut(user, password string) {
	c.t.Helper()
	c.line()
	c.say("USER " + user)
	if answer := c.say("PASS " + password); !strings.HasPrefix(answer, "-ERR [AUTH]") {
		c.t.Errorf("login as %s: %s", user, answer)
	}
}

func TestAppPasswordsLogInAndAreNoted(t *testing.T) {
	data, dir := begunData(t), tempDir(t)
	configured(t, filepath.Join(dir, "f.toml"), "")
	p := serveIn(t, data, "--config", filepath.Join(dir, "f.toml"))
	phone, err := editorIn(data).AddApp("postfach", "phone")
	must(t, err)
	must(t, editorIn(data).SetMain("postfach", false))
	giveToOwner(t, data)
	c := p.dialTLS(data)
	c.login("postfach", phone)
	c.say("QUIT")
	p.dialTLS(data).keptOut("postfach", firstPassword(t, data))
	if line := p.stderr.wait(t, "msg=login "); !strings.Contains(line, "credential=phone") {
		t.Errorf("logged: %s", line)
	}
	must(t, editorIn(data).RemoveApp("postfach", "phone"))
	giveToOwner(t, data)
	p.dialTLS(data).keptOut("postfach", phone)
	p.end()
	logins, err := lastlogin.Read(nil, datafolder.Folder(data).LastLogins(), "postfach")
	must(t, err)
	if l := logins["phone"]; len(logins) != 1 || l.Address != "127.0.0.1" || l.Mechanism != "PASS" || l.TLS != "TLS 1.3" || l.Time.IsZero() {
		t.Errorf("noted %+v", logins)
	}
}

// serverFirst is the server's first message of SCRAM for a name, without the nonce.
func serverFirst(t *testing.T, c *client, name string) string {
	t.Helper()
	c.line()
	answer := c.say("AUTH SCRAM-SHA-256 " + base64.StdEncoding.EncodeToString([]byte("n,,n="+name+",r=0123456789abcdef")))
	text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(answer, "+ "))
	must(t, err)
	return regexp.MustCompile(`^r=[^,]*,`).ReplaceAllString(string(text), "")
}

// P3-SCRAM-18, beyond the life of the process.
func TestFakeSaltsOutliveARestart(t *testing.T) {
	data := newData(t)
	var said []string
	for range 2 {
		p := serveIn(t, data)
		said = append(said, serverFirst(t, p.dialTLS(data), "nobody"), serverFirst(t, p.dialTLS(data), "nobody"), serverFirst(t, p.dialTLS(data), "postfach"))
		p.end()
	}
	for _, i := range []int{1, 3, 4} {
		if said[i] != said[0] {
			t.Errorf("a name that does not exist has %q and %q", said[0], said[i])
		}
	}
	if said[0] == said[2] || len(said[0]) != len(said[2]) || said[0][strings.LastIndex(said[0], ","):] != said[2][strings.LastIndex(said[2], ","):] {
		t.Errorf("a name that does not exist has %q, another %q", said[0], said[2])
	}
	if info, err := os.Stat(datafolder.Folder(data).DecoyKey()); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// capabilities returns what CAPA lists, after the greeting.
func capabilities(c *client) []string {
	c.line()
	var lines []string
	for line := c.say("CAPA"); line != "."; line = c.line() {
		lines = append(lines, line)
	}
	return lines
}

func TestMechanismsAreThoseOfTheConfiguration(t *testing.T) {
	data, dir := begunData(t), tempDir(t)
	name := filepath.Join(dir, "f.toml")
	configured(t, name, "")
	p := serveIn(t, data, "--config", name)
	listed := func() (user bool, sasl string) {
		lines := capabilities(p.dialTLS(data))
		for _, line := range lines {
			if strings.HasPrefix(line, "SASL ") {
				sasl = line
			}
		}
		return slices.Contains(lines, "USER"), sasl
	}
	reload := func() {
		n := p.stderr.count()
		p.signal(syscall.SIGHUP)
		p.stderr.waitAfter(t, n, "msg=reloaded")
	}
	if user, sasl := listed(); !user || !strings.Contains(sasl, " PLAIN") || !strings.Contains(sasl, " SCRAM-SHA-256") || strings.Contains(sasl, "SHA-1") || strings.Contains(sasl, "LOGIN") {
		t.Errorf("without a list: USER %v, %s", user, sasl)
	}
	configured(t, name, `mechanisms = ["SCRAM-SHA-256"]`)
	reload()
	if user, sasl := listed(); user || strings.Contains(sasl, "PLAIN") || !strings.Contains(sasl, "SCRAM-SHA-256") {
		t.Errorf("SCRAM only: USER %v, %s", user, sasl)
	}
	configured(t, name, `mechanisms = ["PLAIN", "LOGIN", "SCRAM-SHA-1"]`)
	reload()
	if user, sasl := listed(); !user || !strings.Contains(sasl, " LOGIN") || !strings.Contains(sasl, "SCRAM-SHA-1") || strings.Contains(sasl, "SHA-256") {
		t.Errorf("as listed: USER %v, %s", user, sasl)
	}
	p.end()
}

func TestPoliciesHoldAfterAReload(t *testing.T) {
	data, dir := begunData(t), tempDir(t)
	name := filepath.Join(dir, "f.toml")
	configured(t, name, "")
	p := serveIn(t, data, "--config", name)
	password := firstPassword(t, data)
	c := p.dialTLS(data)
	c.login("postfach", password)
	c.say("QUIT")
	for _, policy := range []string{"pop3 = false", `networks = ["10.0.0.0/8"]`, "app_passwords_only = true"} {
		configured(t, name, "[[domain]]\nname = \"*\"\n"+policy)
		n := p.stderr.count()
		p.signal(syscall.SIGHUP)
		p.stderr.waitAfter(t, n, "msg=reloaded")
		p.dialTLS(data).keptOut("postfach", password)
		if line := p.stderr.waitAfter(t, n, "login refused in spite of the right password"); !strings.Contains(line, "session=") || !strings.Contains(line, "rip=127.0.0.1") ||
			strings.Contains(line, "session=\"\"") || strings.Contains(line, "hint=\"\"") {
			t.Error(line)
		}
	}
	configured(t, name, "[[domain]]\nname = \"*\"\nrequire_tls = true")
	n := p.stderr.count()
	p.signal(syscall.SIGHUP)
	p.stderr.waitAfter(t, n, "msg=reloaded")
	p.dial().keptOut("postfach", password)
	c = p.dialTLS(data)
	c.login("postfach", password)
	c.say("QUIT")
	p.end()
}

// Several files: the first that knows a name has the last word.
func TestSeveralSources(t *testing.T) {
	data, dir := newData(t), tempDir(t)
	name := filepath.Join(dir, "f.toml")
	serveIn(t, data).end() // the first account
	other := filepath.Join(data, "others")
	edit := accounts.Editor{Path: other}
	must(t, edit.Add(accounts.NewAccount{User: "anna", Password: "annas"}))
	must(t, edit.Add(accounts.NewAccount{User: "postfach", Password: "another"}))
	for _, part := range []string{"new", "cur", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(data, "mail", "anna", part), 0o700))
	}
	giveToOwner(t, data)
	configured(t, name, "[[source]]\ntype = \"file\"\npath = \""+datafolder.Folder(data).Accounts()+"\"\n[[source]]\ntype = \"file\"\npath = \""+other+"\"")
	p := serveIn(t, data, "--config", name)
	p.dialTLS(data).login("postfach", firstPassword(t, data))
	p.dialTLS(data).login("anna", "annas")
	p.dialTLS(data).keptOut("postfach", "another")
	p.end()
}

// Names that the file does not know are a program's.
func TestProgramBehindTheFile(t *testing.T) {
	data, dir := newData(t), tempDir(t)
	name, script := filepath.Join(dir, "f.toml"), filepath.Join(dir, "check")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\n[ \"$(tr '\\000' '|' <&3 | cut -d'|' -f1,2)\" = 'anna|annas' ] || exit 1\nexec \"$@\"\n"), 0o755))
	configured(t, name, "[[source]]\ntype = \"file\"\n[[source]]\ntype = \"program\"\ncommand = [\""+script+"\"]")
	serveIn(t, data).end() // the first account
	for _, part := range []string{"new", "cur", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(data, "mail", "anna", part), 0o700))
	}
	giveToOwner(t, data)
	p := serveIn(t, data, "--config", name)
	p.dialTLS(data).login("postfach", firstPassword(t, data))
	p.dialTLS(data).login("anna", "annas")
	p.dialTLS(data).keptOut("anna", "postfachs")
	p.dialTLS(data).keptOut("postfach", "annas")
	if sasl := strings.Join(capabilities(p.dialTLS(data)), " "); strings.Contains(sasl, "SCRAM") {
		t.Errorf("SCRAM is offered, which a program cannot: %s", sasl)
	}
	p.end()
}

// A server that is away keeps nobody from starting, and is told of.
func TestStartWithoutADirectoryServer(t *testing.T) {
	data, dir := newData(t), tempDir(t)
	name := filepath.Join(dir, "f.toml")
	configured(t, name, "[[source]]\ntype = \"ldap\"\nurl = \"ldap://127.0.0.1:1\"\nbase = \"dc=example\"\nfilter = \"(uid={user})\"")
	p := serveIn(t, data, "--config", name)
	p.stderr.wait(t, "accounts cannot be asked for now")
	c := p.dialTLS(data)
	c.line()
	c.say("USER anna")
	if answer := c.say("PASS x"); !strings.HasPrefix(answer, "-ERR [SYS/TEMP]") {
		t.Errorf("while nobody knows: %s", answer)
	}
	if exists(datafolder.Folder(data).Accounts()) {
		t.Error("the first start has made an account that nobody can use")
	}
	p.end()
}
