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

// Other users of the machine can neither put a part of theirs into the folder nor read
// what is nobody's business. A group may deliver into mail/.
func TestFolderThatOthersCanChangeIsRefused(t *testing.T) {
	f := Folder(t.TempDir())
	parts := map[string]string{
		".": string(f), "mail": f.Mail(), "keys": filepath.Dir(f.APOPKey()), "tls": filepath.Dir(f.Key()),
		"acme": f.ACME(), "lastlogin": f.LastLogins(), "maildirs": f.Maildirs(), "index": f.Index(), "run": f.Run(),
	}
	if err := f.Closed(); err != nil {
		t.Errorf("without its parts: %v", err)
	}
	if err := errors.Join(f.MakeParts(), os.Mkdir(f.ACME(), 0o700), os.Mkdir(f.Maildirs(), 0o700), os.Mkdir(f.Index(), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := f.Closed(); err != nil {
		t.Errorf("as it is made: %v", err)
	}
	const refused, told, silent = "refused", "told", ""
	for part, modes := range map[string]map[os.FileMode]string{
		".":         {0o700: silent, 0o750: silent, 0o755: silent, 0o770: refused, 0o702: refused, 0o1777: refused},
		"mail":      {0o750: silent, 0o770: silent, 0o755: silent, 0o772: refused, 0o777: refused},
		"keys":      {0o710: refused, 0o704: refused, 0o750: refused},
		"acme":      {0o710: refused, 0o755: refused},
		"tls":       {0o750: silent, 0o770: refused, 0o755: told, 0o701: told, 0o702: refused},
		"lastlogin": {0o750: silent, 0o770: refused, 0o755: told},
		"maildirs":  {0o750: silent, 0o770: refused, 0o755: told},
		"index":     {0o750: silent, 0o770: refused, 0o755: told},
		"run":       {0o750: silent, 0o770: refused, 0o755: told},
	} {
		for mode, want := range modes {
			if err := errors.Join(os.Chmod(string(f), 0o755), os.Chmod(parts[part], mode)); err != nil {
				t.Fatal(err)
			}
			for kind, err := range map[string]error{refused: f.Closed(), told: f.Readable()} {
				if (kind == want) != (err != nil) || err != nil && (!strings.Contains(err.Error(), parts[part]) || !strings.Contains(hint.Of(err), "chmod ")) {
					t.Errorf("%s with mode %04o: %s, want %s: %v, hint %q", part, mode, kind, want, err, hint.Of(err))
				}
			}
		}
		if err := os.Chmod(parts[part], 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// All that is open is named at once. What may merely be read is nobody's who cannot get
// to it.
func TestAllThatIsOpenIsNamed(t *testing.T) {
	f := Folder(t.TempDir())
	if err := f.MakeParts(); err != nil {
		t.Fatal(err)
	}
	open := []string{filepath.Dir(f.APOPKey()), filepath.Dir(f.Key()), f.Run()}
	for _, dir := range open {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	var all hint.Several
	if err := f.Closed(); !errors.As(err, &all) || len(all) != len(open) {
		t.Errorf("%v", err)
	}
	for _, dir := range open {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for mode, want := range map[os.FileMode]int{0o755: 2, 0o700: 0, 0o710: 0} {
		if err := os.Chmod(string(f), mode); err != nil {
			t.Fatal(err)
		}
		named, err := 0, f.Readable()
		for _, dir := range open[1:] {
			if err != nil && strings.Contains(err.Error(), dir) && strings.Contains(hint.Of(err), dir) {
				named++
			}
		}
		if named != want || want == 0 && err != nil {
			t.Errorf("%04o: %v, hint %q", mode, err, hint.Of(err))
		}
	}
}
