package remotes

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"postfach/internal/hint"
	"postfach/pop3"
)

func TestExampleParses(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	accounts, err := Load(filepath.Join("..", "..", "docs", "accounts.toml"))
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Abs(filepath.Join("..", "..", "docs"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Account{
		{Name: "work", URL: &pop3.URL{TLS: true, User: "ada@example.org", Host: "mail.example.org"}, PasswordCommand: "pass show mail/ada"},
		{Name: "club", URL: &pop3.URL{User: "ada", Host: "pop.example.net"}, CAFile: filepath.Join(docs, "club.pem")},
		{Name: "cloud", URL: &pop3.URL{TLS: true, User: "ada@example.com", Host: "pop.example.com"}, TokenCommand: "oama access ada@example.com"},
		{Name: "office", URL: &pop3.URL{TLS: true, User: "ada", Host: "pop.example.edu"}, ClientCert: filepath.Join(docs, "ada.pem"), ClientKey: filepath.Join(docs, "ada-key.pem")},
		{Name: "shed", URL: &pop3.URL{TLS: true, User: "ada", Host: "192.0.2.7"}, Pin: strings.Repeat("5f", 32)},
		{Name: "tunnel", URL: &pop3.URL{User: "ada", Host: "localhost", Port: 1110}, STLS: true},
		{Name: "museum", URL: &pop3.URL{User: "ada", Host: "pop.example.com"}, AllowCleartext: true},
	}
	for i := range accounts {
		accounts[i].CAFileAt, accounts[i].ClientCertAt = "", ""
	}
	if !reflect.DeepEqual(accounts, want) {
		t.Errorf("got  %+v\nwant %+v", accounts, want)
	}
	octets, err := os.ReadFile(filepath.Join(docs, "accounts.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for key := range strings.SplitSeq(keys, ", ") {
		if !strings.Contains(string(octets), "\n"+key+" = ") {
			t.Errorf("the example lacks %s", key)
		}
	}
}

func TestAccountsKeepTheirOrder(t *testing.T) {
	const file = `accounts.z.url = "pop3s://u@z"
accounts.z.password_command = "c"
accounts."a.b" = { url = "pop3s://u@ab" }
[accounts.m]
url = "pop3s://u@m"
[accounts.'b c']
url = "pop3s://u@bc"
`
	accounts, err := read("f", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range accounts {
		names = append(names, a.Name+"="+a.URL.Host)
	}
	if want := []string{"z=z", "a.b=ab", "m=m", "b c=bc"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

func TestMistakesHaveALineAndAHint(t *testing.T) {
	const url = "url = \"pop3s://u@h\"\n"
	for _, c := range []struct{ text, want, hint string }{
		{"\n[account.work]\n" + url, "f:2: unknown key account.work", "[accounts.NAME]"},
		{"[accounts.work]\n" + url + "\npasswort = 'x'", "f:4: unknown key accounts.work.passwort", "password_command"},
		{"[accounts.work]\n" + url + "password = 'hunter2'", "f:3: accounts.work.password: a password does not belong here", "password_command"},
		{"[accounts.work]\nurl = 'pop3s://u:hunter2@h'", "f:2: accounts.work.url: a password does not belong here", "password_command"},
		{"[accounts.work]\n" + url + "[accounts.work.more]\nx = 1", "f:3: unknown key accounts.work.more", "url,"},
		{"[accounts.work]\n", "f:1: accounts.work.url: expected the address", "pop3s://me@"},
		{"[accounts.work]\n\nurl = 'imap://u@h'", "f:3: accounts.work.url: pop URL: unknown scheme", "pop3s://me@"},
		{"[accounts.work]\nurl = 'u@h'", "f:2: accounts.work.url: pop URL: want pop3s", "pop3s://me@"},
		{"[accounts.work]\nurl = 'pop3s://h'", "f:2: accounts.work.url: the user name is missing", "pop3s://me@"},
		{"[accounts.work]\nurl = 5", "f:2: ", "TOML"},
		{"[accounts.work]\n" + url + "stls = 'yes'", "f:3: ", "TOML"},
		{"[accounts.work]\n" + url + "stls = true", "f:3: accounts.work.stls: pop3s:// is TLS", "remove"},
		{"[accounts.work]\n" + url + "allow_cleartext = true", "f:3: accounts.work.allow_cleartext: nothing is in clear", "remove"},
		{"[accounts.work]\nurl = 'pop3://u@h'\nstls = true\nallow_cleartext = true", "f:4: accounts.work.allow_cleartext: expected not both", "safe"},
		{"[accounts.work]\nurl = 'pop3://u@h'\nallow_cleartext = true\npin = '" + strings.Repeat("ab", 32) + "'", "f:3: accounts.work.allow_cleartext: expected not both this and pin", "TLS"},
		{"[accounts.work]\n" + url + "pin = 'abc'", "f:3: accounts.work.pin: a pin is the 64", "postfach check"},
		{"[accounts.work]\n" + url + "password_command = 'a'\ntoken_command = 'b'", "f:4: accounts.work.token_command: expected not both this and password_command", "token"},
		{"[accounts.work]\nurl = 'pop3s://u;AUTH=PLAIN@h'\ntoken_command = 'b'", "f:3: accounts.work.token_command: ", "OAUTHBEARER"},
		{"[accounts.work]\n" + url + "client_key = 'a'", "f:3: accounts.work.client_key: the certificate is missing", "client_cert"},
		{"[accounts.work]\nurl = 'pop3://u@h'\nallow_cleartext = true\nclient_cert = 'a'", "f:4: accounts.work.client_cert: expected not both this and allow_cleartext", "TLS"},
		{"[accounts.a]\n" + url + "[accounts.a]\n" + url, "f:3: ", "TOML"},
		{"[accounts.a]\n" + url + "url = 'pop3s://u@h'", "f:3: ", "TOML"},
		{"[accounts.a]\nurl = \n", "f:2: ", "TOML"},
		{"[accounts.\"\"]\n" + url, "f:1: accounts.: expected a name", "[accounts.work]"},
		{"[accounts.\"a\\u001b[31m\"]\n" + url, "f:1: accounts.\"a\\x1b[31m\": expected a name", ""},
		{"[accounts]\nurl = 'pop3s://u@h'", "f:2: ", "TOML"},
		{"[[accounts]]\nurl = 'pop3s://u@h'", "f:", ""},
		{"accounts = 5", "f:1: ", "TOML"},
	} {
		accounts, err := read("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || !strings.Contains(hint.Of(err), c.hint) {
			t.Errorf("%q: %v, %v, hint %q", c.text, accounts, err, hint.Of(err))
			continue
		}
		if strings.Contains(err.Error()+hint.Of(err), "hunter2") {
			t.Errorf("%q: the password is in the error: %v", c.text, err)
		}
	}
}

func TestPathsAreOfTheFileOrOfHome(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	t.Setenv("USERPROFILE", "/home/ada")
	for name, want := range map[string]string{
		"~/a/b.pem": filepath.FromSlash("/home/ada/a/b.pem"), "/x.pem": "/x.pem", "b.pem": filepath.FromSlash("/etc/pf/b.pem"), "": "",
	} {
		accounts, err := read("/etc/pf/f", []byte("[accounts.a]\nurl = 'pop3s://u@h'\ncafile = '"+name+"'"))
		if err != nil || accounts[0].CAFile != want {
			t.Errorf("%s: %+v, %v", name, accounts, err)
		}
	}
}

func TestMissingFileHasNoAccounts(t *testing.T) {
	if accounts, err := Load(filepath.Join(t.TempDir(), "none")); err != nil || len(accounts) != 0 {
		t.Errorf("%v, %v", accounts, err)
	}
	if accounts, err := read("f", nil); err != nil || len(accounts) != 0 {
		t.Errorf("%v, %v", accounts, err)
	}
}

// Commands in the file are run: nobody else may write it.
func TestFileThatEverybodyCanWriteIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "accounts.toml")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o646); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(name); err == nil || !strings.Contains(hint.Of(err), "chmod o-w") {
		t.Errorf("%v", err)
	}
}

func TestEndlessFileIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "accounts.toml")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(name); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v", err)
	}
}

func TestDefaultFile(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	t.Setenv("XDG_CONFIG_HOME", "/conf")
	if got := DefaultFile(); got != "/conf/postfach/accounts.toml" {
		t.Error(got)
	}
	t.Setenv("XDG_CONFIG_HOME", "not/absolute")
	if got := DefaultFile(); got != "/home/ada/.config/postfach/accounts.toml" {
		t.Error(got)
	}
}
