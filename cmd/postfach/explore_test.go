package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
	"postfach/internal/explain"
	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/maildrop/maildir"
)

// exploreFile is a file of accounts.
func exploreFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "accounts.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestExploreUsage: what cannot be is refused before anything is opened, with a
// hint.
func TestExploreUsage(t *testing.T) {
	empty := exploreFile(t, "")
	with := func(c exploreCmd) exploreCmd {
		if c.Config == "" {
			c.Config = empty
		}
		return c
	}
	for name, test := range map[string]struct {
		cmd      exploreCmd
		terminal bool
		hint     string
	}{
		"no terminal":         {exploreCmd{}, false, "--web"},
		"listen without web":  {exploreCmd{Listen: "127.0.0.1:0"}, true, "--web"},
		"listen anywhere":     {exploreCmd{Web: true, Listen: ":8080"}, false, "127.0.0.1"},
		"listen outside":      {exploreCmd{Web: true, Listen: "192.0.2.1:80"}, false, "ssh -L"},
		"listen to a name":    {exploreCmd{Web: true, Listen: "localhost.example.org:80"}, false, "ssh -L"},
		"listen, no port":     {exploreCmd{Web: true, Listen: "localhost"}, false, "127.0.0.1"},
		"stdin is keyboard":   {exploreCmd{Account: "u@h", accountPassword: accountPassword{PasswordStdin: true}}, true, "--password-command"},
		"write elsewhere":     {exploreCmd{Account: "u@h", Write: true}, true, "--data"},
		"two things":          {exploreCmd{Account: "u@h", Data: "d"}, true, "--user"},
		"user only":           {exploreCmd{User: "me"}, true, "HOST"},
		"password for whom":   {exploreCmd{accountPassword: accountPassword{PasswordCommand: "echo x"}}, true, "account"},
		"idle":                {exploreCmd{Idle: -time.Second}, true, "never"},
		"no user":             {exploreCmd{Account: "mail.example.org"}, true, "me@"},
		"two users":           {exploreCmd{Account: "u@h", User: "v"}, true, "leave"},
		"password in the URL": {exploreCmd{Account: "pop3s://u:hunter2@h"}, true, "leave the password out"},
		"no account":          {exploreCmd{Account: "a b"}, true, "me@"},
		"no certificates":     {exploreCmd{Account: "u@h", CAFile: "explore.go"}, true, ""},
		"no such file":        {exploreCmd{Config: "missing.toml"}, true, "docs/accounts.toml"},
		"mistake in the file": {exploreCmd{Config: exploreFile(t, "[accounts.a]\npassword = 'hunter2'")}, true, "password_command"},
		"no such account":     {exploreCmd{Account: "wrok", Config: exploreFile(t, exploreAccounts)}, false, "me@mail.example.org"},
		"file before screen":  {exploreCmd{Config: exploreFile(t, "[accounts.a]\npassword = 'hunter2'")}, false, "password_command"},
		"bad pin":             {exploreCmd{Account: "u@h", Pin: "abc"}, true, "postfach check"},
		"pin for whom":        {exploreCmd{Pin: strings.Repeat("ab", 32)}, true, "account"},
		"protocol log":        {exploreCmd{ProtocolLog: "missing/log"}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := with(test.cmd)
			err := c.run(t.Context(), io.Discard, test.terminal)
			if exitCode(err) != exitUsage || !strings.Contains(hint.Of(err), test.hint) || strings.Contains(err.Error()+hint.Of(err), "hunter2") {
				t.Errorf("%v, hint %q", err, hint.Of(err))
			}
		})
	}
}

const exploreAccounts = `
[accounts.work]
url = "pop3s://ada@mail.example.org"
password_command = "echo of the file"
[accounts.localhost]
url = "pop3://bob@pop.example.net"
`

// secretOf is what an account knows of its password.
func secretOf(t *testing.T, a *explore.Account) string {
	t.Helper()
	if a == nil || a.Password == nil {
		return "(asked for)"
	}
	password, err := a.Password(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return password
}

func TestExploreStart(t *testing.T) {
	file := exploreFile(t, exploreAccounts)
	for _, test := range []struct {
		cmd            exploreCmd
		environment    string
		user, host     string
		name, password string
	}{
		{exploreCmd{Account: "work"}, "env", "ada", "mail.example.org", "work", "of the file"},
		{exploreCmd{Account: "work", accountPassword: accountPassword{PasswordCommand: "echo flag"}}, "env", "ada", "mail.example.org", "work", "flag"},
		{exploreCmd{Account: "localhost"}, "env", "bob", "pop.example.net", "localhost", "env"},
		{exploreCmd{Account: "localhost"}, "", "bob", "pop.example.net", "localhost", "(asked for)"},
		{exploreCmd{Account: "me@localhost:1110"}, "", "me", "localhost:1110", "me@localhost:1110", "(asked for)"},
		{exploreCmd{Account: "pop3s://h", User: "me@h"}, "", "me@h", "h", "me@h@h", "(asked for)"},
	} {
		t.Setenv("POSTFACH_PASSWORD", test.environment)
		test.cmd.Config = file
		p, err := test.cmd.picker(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := p.Start
		if a == nil || a.User != test.user || a.Host != test.host || a.Name != test.name || secretOf(t, a) != test.password || len(p.Accounts) != 2 {
			t.Errorf("%s: %+v, password %q", test.cmd.Account, a, secretOf(t, a))
		}
	}
}

func TestExploreMistakesNameTheirPlace(t *testing.T) {
	file := exploreFile(t, exploreAccounts+"[accounts.club]\nurl = 'pop3s://me@club.example'\ncafile = 'missing.pem'\n")
	for account, want := range map[string]string{
		"wrok": "no account wrok in " + file + "; there are: work, localhost, club",
		"club": file + ":9: accounts.club.cafile: open " + filepath.Join(filepath.Dir(file), "missing.pem"),
	} {
		err := (&exploreCmd{Account: account, Config: file}).run(t.Context(), io.Discard, true)
		if exitCode(err) != exitUsage || !strings.HasPrefix(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s: %v, hint %q", account, err, hint.Of(err))
		}
	}
}

// Who trusts a certificate is not asked for the password that was given.
func TestTrustedAccountKeepsItsPassword(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "env")
	c := exploreCmd{Config: exploreFile(t, exploreAccounts), Account: "me@one.example", Pin: strings.Repeat("ab", 32)}
	p, err := c.picker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trusting := p.Start.Trust(strings.Repeat("cd", 32))
	if got := secretOf(t, &trusting); got != "env" || trusting.Host != "one.example" {
		t.Errorf("%q of %+v", got, trusting)
	}
}

// A password that was given for one server is not sent to another.
func TestExplorePasswordIsForItsAccountOnly(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "env")
	c := exploreCmd{Config: exploreFile(t, exploreAccounts), Account: "me@one.example", accountPassword: accountPassword{PasswordCommand: "echo flag"}}
	p, err := c.picker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{"me@other.example": "(asked for)", "work": "of the file", "localhost": "(asked for)"} {
		a, err := p.Parse(typed)
		if err != nil || secretOf(t, &a) != want {
			t.Errorf("%s: %q, %v", typed, secretOf(t, &a), err)
		}
	}
	var names []string
	for _, a := range p.Accounts {
		names = append(names, a.Name)
		if got := secretOf(t, &a); got == "env" || got == "flag" {
			t.Errorf("%s: %q", a.Name, got)
		}
	}
	if !slices.Equal(names, []string{"work", "localhost"}) {
		t.Errorf("%q", names)
	}
	if _, err := p.Parse("no user"); hint.Of(err) == "" {
		t.Error(err)
	}
}

func TestExploreOptions(t *testing.T) {
	t.Setenv("LC_ALL", "")
	t.Setenv("LC_MESSAGES", "")
	t.Setenv("LANG", "de_DE.UTF-8")
	o, closeLog, err := (&exploreCmd{NoHeaders: true}).options()
	if err != nil || o.Idle >= 0 || !o.NoHeaders || o.Language != explain.German || o.Trace != nil || closeLog() != nil {
		t.Errorf("%+v, %v", o, err)
	}
	o, _, err = (&exploreCmd{Idle: time.Minute, Lang: "en"}).options()
	if err != nil || o.Idle != time.Minute || o.Language != explain.English {
		t.Errorf("%+v, %v", o, err)
	}
}

// exploreData is a data folder with two accounts, and mail that a third left
// behind.
func exploreData(t *testing.T) datafolder.Folder {
	t.Helper()
	folder := datafolder.Folder(t.TempDir())
	directory := &accounts.Directory{Sources: []accounts.Source{&accounts.File{Path: folder.Accounts()}}, Mail: folder.Mail()}
	for _, user := range []string{"bob", "ada"} {
		if err := (accounts.Editor{Path: folder.Accounts()}).Add(accounts.NewAccount{User: user, Password: "secret word"}); err != nil {
			t.Fatal(err)
		}
		store := &maildir.Store{Path: directory.Maildir}
		dir, err := directory.Maildir(user)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Create(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Deliver(t.Context(), user, strings.NewReader("Subject: for "+user+"\n\n")); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"gone", ".hidden"} {
		if err := new(maildir.Store).Create(filepath.Join(folder.Mail(), dir)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestExploreData(t *testing.T) {
	folder := exploreData(t)
	c := exploreCmd{Data: string(folder), User: "bob"}
	var p explore.Picker
	if err := c.local(&p, folder); err != nil {
		t.Fatal(err)
	}
	if p.Start == nil || p.Start.User != "bob" || len(p.Accounts) != 3 {
		t.Fatalf("%+v", p)
	}
	for i, want := range []struct {
		name     string
		messages int
	}{{"ada", 1}, {"bob", 1}, {"gone", 0}} {
		a := p.Accounts[i]
		e := explore.New(a, explore.Options{NoHeaders: true})
		if err := e.Connect(t.Context(), ""); err != nil || a.Name != want.name || !a.ReadOnly || e.Status().Messages != want.messages {
			t.Errorf("%+v: %d messages, %v", a, e.Status().Messages, err)
		}
		e.Close()
	}
	p = explore.Picker{}
	c = exploreCmd{Data: string(folder), Write: true}
	if err := c.local(&p, folder); err != nil || p.Accounts[0].ReadOnly || p.Start != nil {
		t.Errorf("%+v, %v", p, err)
	}
	c = exploreCmd{Data: string(folder), User: "eve"}
	if err := c.local(&p, folder); exitCode(err) != exitUsage || !strings.Contains(hint.Of(err), "user list") {
		t.Error(err)
	}
	if err := c.local(&p, datafolder.Folder(t.TempDir())); exitCode(err) != exitUsage || !strings.Contains(hint.Of(err), "--data") {
		t.Error(err)
	}
	if a, err := c.account(nil, "mail.example.org"); err == nil {
		t.Errorf("%+v: --user is for the folder", a)
	}
}

// TestExploreAsAProcess: root, too, can explore a data folder, as its owner, and
// Ctrl-C is a good end.
func TestExploreAsAProcess(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "ada", "--data", data, "--password-stdin").expect(t, 0, "", "")
	cmd := tool(t, "explore", "--web", "--data", data, "--config", exploreFile(t, ""))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	client, _ := newClient(t)
	page := get(t, client, strings.TrimPrefix(lines.Text(), "open "))
	if !strings.Contains(page, "ada") {
		t.Errorf("%q: %.500s", lines.Text(), page)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil || complaints.Len() > 0 {
		t.Errorf("%v: %s", err, &complaints)
	}
}

// TestExploreWeb: one address, for one person, until Ctrl-C.
func TestExploreWeb(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	log := filepath.Join(t.TempDir(), "log")
	go func() {
		c := exploreCmd{Config: exploreFile(t, exploreAccounts), Web: true, Timeout: time.Minute, ProtocolLog: log}
		ended <- errors.Join(c.run(ctx, w, false), w.Close())
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		t.Fatal(<-ended)
	}
	address, ok := strings.CutPrefix(lines.Text(), "open ")
	if !ok || !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Fatalf("%q", lines.Text())
	}
	client, stranger := newClient(t)
	page := get(t, client, address)
	if !strings.Contains(page, "work") || !strings.Contains(page, "pop.example.net") {
		t.Errorf("the accounts are not there: %.500s", page)
	}
	if page := get(t, stranger, address); strings.Contains(page, "pop.example.net") {
		t.Error("the address works twice")
	}
	cancel()
	for lines.Scan() {
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(log); err != nil {
		t.Error(err)
	}
}

// newClient returns a browser, and one of somebody else.
func newClient(t *testing.T) (client, stranger *http.Client) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport}, &http.Client{Transport: transport}
}

func get(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	resp, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
