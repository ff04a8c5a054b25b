package remotes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"postfach/internal/hint"
	"postfach/pop3"
)

// An entry is an account as the file has it.
type entry struct {
	URL             string `toml:"url"`
	PasswordCommand string `toml:"password_command"`
	TokenCommand    string `toml:"token_command"`
	ClientCert      string `toml:"client_cert"`
	ClientKey       string `toml:"client_key"`
	CAFile          string `toml:"cafile"`
	Pin             string `toml:"pin"`
	STLS            bool   `toml:"stls"`
	AllowCleartext  bool   `toml:"allow_cleartext"`
}

// keys are those that entry has, for hints.
const keys = "url, password_command, token_command, client_cert, client_key, cafile, pin, stls, allow_cleartext"

const reference = "docs/accounts.toml is an example"

// DefaultFile returns where the file is without a flag:
// $XDG_CONFIG_HOME/postfach/accounts.toml, else the same below ~/.config. Empty:
// there is no home.
func DefaultFile() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "postfach", "accounts.toml")
}

// maxFile bounds a file of accounts, in octets.
const maxFile = 1 << 20

// Load reads a file of accounts, in their order. Its errors name file and line.
// A file that is not there is no error and no accounts.
func Load(file string) ([]Account, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, hint.Add(fmt.Errorf("read the accounts: %w", err), "you must be able to read it; --config FILE names another")
	}
	defer f.Close()
	if err := private(f); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	if len(content) > maxFile {
		return nil, hint.Add(fmt.Errorf("%s has more than %d octets", file, maxFile), reference)
	}
	return read(file, content)
}

// private refuses a file that everybody can write: they could have a command of
// theirs run.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0 {
		return hint.Add(fmt.Errorf("%s can be written by everybody, and commands in it are run", f.Name()), "chmod o-w %s", f.Name())
	}
	return nil
}

// read understands the content of a file. name is what errors call it.
func read(name string, content []byte) ([]Account, error) {
	doc, err := locate(name, content)
	if err != nil {
		return nil, err
	}
	if err := doc.checkKeys(); err != nil {
		return nil, err
	}
	var all struct {
		Accounts map[string]entry `toml:"accounts"`
	}
	decoder := toml.NewDecoder(bytes.NewReader(content)).DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		return nil, doc.syntax(err)
	}
	var accounts []Account
	for _, account := range doc.accounts() {
		a, err := all.Accounts[account].account(doc, account)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, *a)
	}
	return accounts, nil
}

// account checks an entry. What Parse takes without a scheme is good for a
// person who types, and too vague for a file.
func (e entry) account(d *document, name string) (*Account, error) {
	wrong := func(key, format string, args ...any) error { return d.wrong(name, key, format, args...) }
	a := &Account{Name: name, PasswordCommand: e.PasswordCommand, TokenCommand: e.TokenCommand, Pin: e.Pin, STLS: e.STLS, AllowCleartext: e.AllowCleartext}
	var err error
	_, badPin := ParsePin(e.Pin)
	a.URL, err = pop3.ParseURL(e.URL)
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return nil, hint.Add(wrong("", "expected a name in one line"), "for example [accounts.work]")
	case e.URL == "":
		return nil, hint.Add(wrong("url", "expected the address of the account"), `for example url = "pop3s://me@mail.example.org"`)
	case errors.Is(err, pop3.ErrURLPassword):
		return nil, hint.Add(wrong("url", "a password does not belong here"), passwordHint)
	case err != nil:
		return nil, hint.Add(wrong("url", "%w", err), `for example "pop3s://me@mail.example.org", with %%40 for an @ in the user name`)
	case a.URL.User == "":
		return nil, hint.Add(wrong("url", "the user name is missing"), `for example "pop3s://me@mail.example.org"`)
	case a.URL.TLS && e.STLS:
		return nil, hint.Add(wrong("stls", "pop3s:// is TLS from the start"), "remove the key, or write pop3://")
	case a.URL.TLS && e.AllowCleartext:
		return nil, hint.Add(wrong("allow_cleartext", "nothing is in clear with pop3s://"), "remove the key")
	case e.STLS && e.AllowCleartext:
		return nil, hint.Add(wrong("allow_cleartext", "expected not both this and stls"), "stls = true is the safe one")
	case e.Pin != "" && e.AllowCleartext:
		return nil, hint.Add(wrong("allow_cleartext", "expected not both this and pin"), "a pin is for TLS")
	case e.PasswordCommand != "" && e.TokenCommand != "":
		return nil, hint.Add(wrong("token_command", "expected not both this and password_command"), "a token takes the place of the password")
	case a.misusesToken():
		return nil, hint.Add(wrong("token_command", "%s in the url takes no token", a.URL.Auth), tokenHint)
	case e.ClientKey != "" && e.ClientCert == "":
		return nil, hint.Add(wrong("client_key", "the certificate is missing"), `client_cert = "FILE" goes with it`)
	case e.ClientCert != "" && e.AllowCleartext:
		return nil, hint.Add(wrong("client_cert", "expected not both this and allow_cleartext"), "a certificate is for TLS")
	case badPin != nil:
		return nil, hint.Add(wrong("pin", "%w", badPin), pinHint)
	}
	a.CAFileAt, a.ClientCertAt = d.where(name, "cafile"), d.where(name, "client_cert")
	for _, file := range []struct {
		key, from string
		to        *string
	}{{"cafile", e.CAFile, &a.CAFile}, {"client_cert", e.ClientCert, &a.ClientCert}, {"client_key", e.ClientKey, &a.ClientKey}} {
		if *file.to, err = d.path(file.from); err != nil {
			return nil, wrong(file.key, "%w", err)
		}
	}
	return a, nil
}

const pinHint = "postfach check HOST shows it"

const passwordHint = "no passwords are kept in this file: write password_command = \"COMMAND\", whose first line of output is the password, or nothing, and be asked"
