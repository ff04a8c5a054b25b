package datafolder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/hint"
)

// What a start that got nowhere leaves is nothing, nor is what the first start leaves
// that was cut short. All else shows that there were accounts.
func TestUsedFolderShowsIt(t *testing.T) {
	fresh := func() Folder {
		f := Folder(t.TempDir())
		if err := f.MakeParts(); err != nil {
			t.Fatal(err)
		}
		return f
	}
	put := func(name string) {
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f := fresh()
	for _, name := range []string{filepath.Join(f.Mail(), "first"), filepath.Join(f.Mail(), ".new-first"), filepath.Join(f.Mail(), "lost+found"), filepath.Join(f.Maildirs(), "first"), f.Certificate(), f.Lock()} {
		put(name)
	}
	if got := f.Used("first") + f.Served(); got != "" {
		t.Errorf("a first start that was cut short: %s", got)
	}
	for name, served := range map[string]bool{
		"keys/decoy": true, "keys/tickets": true, "lastlogin/anna": true, "lastlogin/first": true,
		"keys/apop": false, "maildirs/anna": false, "mail/anna": false,
	} {
		f := fresh()
		put(f.in(name))
		if got := f.Used("first"); got != f.in(name) {
			t.Errorf("%s: %q", name, got)
		}
		if got := f.Served() != ""; got != served {
			t.Errorf("%s: served %t", name, got)
		}
	}
}

// An accounts file that is not there, wherever it is, has been lost where a server has
// served from the folder; else there never was one.
func TestLostAccountsFileIsOneOfAFolderThatWasServed(t *testing.T) {
	f := Folder(t.TempDir())
	if err := f.MakeParts(); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "users")
	for _, file := range []string{f.Accounts(), elsewhere} {
		if err := f.LostAccounts(file); err != nil {
			t.Errorf("before: %v", err)
		}
	}
	if err := os.WriteFile(f.DecoyKey(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{f.Accounts(), elsewhere} {
		if err := f.LostAccounts(file); err == nil || !strings.Contains(err.Error(), file+" is gone, and "+f.DecoyKey()) || !strings.Contains(hint.Of(err), "is its disk mounted?") {
			t.Errorf("%v, hint %q", err, hint.Of(err))
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.LostAccounts(file); err != nil {
			t.Errorf("there again: %v", err)
		}
	}
}
