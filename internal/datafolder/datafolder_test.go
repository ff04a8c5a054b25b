package datafolder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/hint"
	"postfach/internal/unprivileged"
)

func TestDefault(t *testing.T) {
	if os.Geteuid() == 0 {
		if got := Default(); got != System {
			t.Errorf("root's folder is %s", got)
		}
	}
	if !unprivileged.Run(t) {
		return
	}
	t.Setenv("HOME", "/home/anna")
	for state, want := range map[string]Folder{
		"":         "/home/anna/.local/state/postfach",
		"relative": "/home/anna/.local/state/postfach", // not allowed by the XDG specification
		"/state":   "/state/postfach",
	} {
		t.Setenv("XDG_STATE_HOME", state)
		if got := Or(""); got != want {
			t.Errorf("with XDG_STATE_HOME=%s: %s, want %s", state, got, want)
		}
	}
	if got := Or("/x"); got != "/x" {
		t.Error(got)
	}
}

func TestMakeIsClosedToOthersAndChangesNothingTwice(t *testing.T) {
	f := Folder(filepath.Join(t.TempDir(), "a", "b"))
	for range 2 {
		if err := errors.Join(f.Make(), f.MakeParts()); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{string(f), f.Mail(), f.Run(), f.LastLogins(), filepath.Dir(f.Key()), filepath.Dir(f.APOPKey())} {
		if info, err := os.Stat(dir); err != nil || info.Mode() != os.ModeDir|0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	if err := os.Chmod(f.Mail(), 0o750); err != nil { // somebody wants it so
		t.Fatal(err)
	}
	if err := errors.Join(f.Make(), f.MakeParts()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(f.Mail()); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestMakeRefusesWithAHint(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: "is not a folder", filepath.Join(closed, "x"): "permission denied", closed: "permission denied"} {
		if err := errors.Join(Folder(path).Make(), Folder(path).MakeParts()); err == nil || !strings.Contains(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s: %v, hint %q", path, err, hint.Of(err))
		}
	}
}

func TestOutside(t *testing.T) {
	folder, other := t.TempDir(), t.TempDir()
	inside, link := filepath.Join(folder, "accounts"), filepath.Join(other, "link")
	if err := os.Symlink(inside, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(inside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		inside: false, link: false, filepath.Join(folder, "x"): false, folder: false,
		filepath.Join(other, "users"): true, filepath.Join(other, "none", "users"): false, filepath.Join(folder, "..x"): false,
	} {
		if got := Folder(folder).Outside(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
