package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/accounts"
	"postfach/internal/version"
)

// state is all that lies in a folder, with contents.
func state(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		var content []byte
		if info.Mode().IsRegular() {
			content, err = os.ReadFile(path)
			must(t, err)
		}
		fmt.Fprintf(&b, "%s %s %s %x\n", path, info.Mode(), info.ModTime(), content)
		return nil
	}))
	return b.String()
}

// --check says what is wrong, listens on nothing and changes nothing.
func TestCheck(t *testing.T) {
	occupied, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer occupied.Close()
	listen := fmt.Sprintf("[[listener]]\naddress = %q\n", occupied.Addr())
	program := filepath.Join(t.TempDir(), "program")
	must(t, os.WriteFile(program, nil, 0o644))
	for name, c := range map[string]struct {
		config string
		wrong  []string // none: all is well
		warned string
	}{
		"nothing to say":     {listen, nil, ""},
		"not understood":     {"nonsense = 1", []string{"f.toml:1", "nonsense"}, ""},
		"several mistakes":   {"nonsense = 1\nlast = 5\n[limits]\nidel = \"1h\"", []string{"f.toml:1: unknown key nonsense", "f.toml:2: last: expected true or false", "f.toml:4: unknown key limits.idel", "hint: did you mean limits.idle?"}, ""},
		"several values":     {"hostname = \"a b\"\nlanguage = \"fr\"\n" + listen + "[limits]\nidle = \"1s\"\nlogin = \"0s\"\n[[source]]\ntype = \"x\"\n[[source]]\ntype = \"y\"", []string{"f.toml:1: hostname", "f.toml:2: language", ": limits.idle: ", ": limits.login: ", "f.toml:9: source.type", "f.toml:11: source.type"}, ""},
		"no certificate":     {listen + "[tls]\ncertificate = \"/none/a\"\nkey = \"/none/b\"", []string{"/none/a", "/none/b", "hint: "}, ""},
		"no certificates":    {listen + "[tls]\ncertificate = \"f.toml\"\nkey = \"f.toml\"", []string{"f.toml", "two PEM files"}, ""},
		"accounts":           {"accounts = \"bad\"\n" + listen, []string{"bad:1: expected user:{SCHEME}secret"}, ""},
		"helper missing":     {listen + "[[source]]\ntype = \"program\"\ncommand = [\"/none/helper\"]", []string{"/none/helper", "install the program"}, ""},
		"helper cannot run":  {listen + fmt.Sprintf("[[source]]\ntype = \"program\"\ncommand = [%q]", program), []string{program, "chmod +x"}, ""},
		"no root of ACME":    {listen + "[tls.acme]\nagree = true\nhosts = [\"a.example\"]\nca = \"f.toml\"", []string{"root of the ACME server", "at least one CERTIFICATE"}, ""},
		"no authorities":     {listen + "[tls]\nclient_ca = \"f.toml\"", []string{"client authorities", "at least one CERTIFICATE"}, ""},
		"hook cannot run":    {listen + fmt.Sprintf("[tls.acme]\nagree = true\nhosts = [\"a.example\"]\nchallenge = \"dns-01\"\ndns_hook = [%q]", program), []string{program, "dns_hook"}, ""},
		"directory is away":  {listen + "[[source]]\ntype = \"ldap\"\nurl = \"ldapi://%2Fnone%2Fldapi\"\nbase = \"dc=x\"\nfilter = \"(uid={user})\"", []string{"accounts cannot be asked for now", "/none/ldapi"}, ""},
		"folder is missing":  {"confine_mail = [\"/srv/nomail\"]\n" + listen, nil, "a folder stays out of reach err=\"stat /srv/nomail: no such file or directory\"\nhint: make it"},
		"maildir is missing": {"accounts = \"elsewhere\"\n" + listen, nil, "/none/mail"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			data := filepath.Join(dir, "data")
			must(t, os.Mkdir(data, 0o700))
			must(t, editorIn(data).Add(accounts.NewAccount{User: "anna", Password: "p w"}))
			must(t, os.WriteFile(filepath.Join(dir, "bad"), []byte("nonsense\n"), 0o600))
			must(t, os.WriteFile(filepath.Join(dir, "elsewhere"), []byte("anna:{PLAIN}x::::::userdb_mail=maildir:/none/mail\n"), 0o600))
			config := filepath.Join(dir, "f.toml")
			must(t, os.WriteFile(config, []byte(strings.ReplaceAll(c.config, "\"f.toml\"", fmt.Sprintf("%q", config))), 0o644))
			before := state(t, dir)
			p := launch(t, "--check", "--config", config, "--data", data)
			code := p.wait()
			if want := min(len(c.wrong), 1); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
			for _, want := range c.wrong {
				if !strings.Contains(p.stderr.String(), want) {
					t.Errorf("%q is not in\n%s", want, p.stderr)
				}
			}
			if c.warned != "" && !strings.Contains(p.stderr.String(), c.warned) {
				t.Errorf("no warning of %s:\n%s", c.warned, p.stderr)
			}
			if !strings.Contains(p.stdout.String(), "the configuration is "+config) {
				t.Errorf("which configuration it is about is not in\n%s", p.stdout)
			}
			if c.wrong == nil && !strings.Contains(p.stdout.String(), "nothing is wrong") {
				t.Errorf("said\n%s", p.stdout)
			}
			if after := state(t, dir); after != before {
				t.Errorf("before\n%safter\n%s", before, after)
			}
		})
	}
}

func TestVersionIsThatOfTheBuild(t *testing.T) {
	p := launch(t, "--version")
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := strings.TrimSpace(p.stdout.String()); got != version.String() || got == "" {
		t.Errorf("%q", got)
	}
}

func TestWrongAddressNamesItsFlag(t *testing.T) {
	for _, flag := range []string{"--pop3", "--pop3s"} {
		p := launch(t, "--data", newData(t), flag, "localhost")
		if code := p.wait(); code != exitUsage {
			t.Errorf("exit code %d", code)
		}
		if text := p.stderr.String(); !strings.Contains(text, `postfachd: `+flag+` "localhost": expected host:port`) || !strings.Contains(text, "hint: 127.0.0.1:1110") {
			t.Errorf("%s", text)
		}
	}
}

// To a flag of one letter every other one is near.
func TestUnknownLetterIsNotGuessed(t *testing.T) {
	p := launch(t, "-c", "x")
	if code := p.wait(); code != exitUsage || p.stderr.String() != "postfachd: unknown flag -c\nhint: postfachd --help" {
		t.Errorf("exit code %d\n%s", code, p.stderr)
	}
}
