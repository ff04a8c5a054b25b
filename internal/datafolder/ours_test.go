//go:build unix

package datafolder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/hint"
)

// chown -R of a folder of the system's would cost the system: it is advised for what
// looks like a data folder, and for nothing else.
func TestChownIsAdvisedForDataFoldersOnly(t *testing.T) {
	for _, c := range []struct {
		inside string
		ours   bool
	}{
		{"", false},
		{"lost+found", false},
		{"mail", false},            // as of any mail server
		{"mail lost+found", false}, // on a disk of its own
		{"accounts run tls", false},
		{"keys lastlogin", true},
		{"accounts index keys lastlogin mail maildirs run tls acme first-login.txt", true},
		{"accounts keys lastlogin mail run tls users", true}, // and what the operator has put there
		{"mail run lib log spool tmp", false},                // /var
		{"run etc usr home tmp", false},                      // /
		{"mail .bashrc", false},
	} {
		f := Folder(t.TempDir())
		for _, name := range strings.Fields(c.inside) {
			if err := os.Mkdir(filepath.Join(string(f), name), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		advice := f.Remedy()
		if got := strings.Contains(advice, "chown -R postfach: "+string(f)); got != c.ours || got == strings.Contains(advice, "no data folder of Postfach's") {
			t.Errorf("%q: %s", c.inside, advice)
		}
	}
	for _, f := range []Folder{"/", "/etc", "/var", "/usr", "/home", "/root", "/tmp"} {
		if advice := f.Remedy(); strings.Contains(advice, "chown") {
			t.Errorf("%s: %s", f, advice)
		}
	}
}

// The same holds for a folder of nobody's.
func TestDoubtAboutAFolderThatIsNotOursAdvisesNoChown(t *testing.T) {
	needRoot(t)
	f := Folder(t.TempDir())
	other := filepath.Join(string(f), "other")
	if err := errors.Join(os.Mkdir(other, 0o700), os.Chown(string(f), nobodys(), nobodys())); err != nil {
		t.Fatal(err)
	}
	if err := f.Doubt(); err == nil || strings.Contains(hint.Of(err), "chown") {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
	if err := os.Rename(other, f.Mail()); err != nil {
		t.Fatal(err)
	}
	if err := f.Doubt(); err == nil || strings.Contains(hint.Of(err), "chown") {
		t.Errorf("with mail/ only: %v, hint %q", err, hint.Of(err))
	}
	if err := f.MakeParts(); err != nil {
		t.Fatal(err)
	}
	if err := f.Doubt(); err == nil || !strings.Contains(hint.Of(err), "chown -R postfach: "+string(f)) {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
}
