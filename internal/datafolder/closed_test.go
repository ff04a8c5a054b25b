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
	for part, modes := range map[string]map[os.FileMode]bool{ // true: refused
		".":         {0o700: false, 0o750: false, 0o755: false, 0o770: true, 0o702: true, 0o1777: true},
		"mail":      {0o750: false, 0o770: false, 0o755: false, 0o772: true, 0o777: true},
		"keys":      {0o710: true, 0o704: true, 0o750: true},
		"acme":      {0o710: true, 0o755: true},
		"tls":       {0o750: false, 0o770: true, 0o755: true, 0o701: true},
		"lastlogin": {0o750: false, 0o770: true, 0o755: true},
		"maildirs":  {0o750: false, 0o770: true, 0o755: true},
		"index":     {0o750: false, 0o770: true, 0o755: true},
		"run":       {0o750: false, 0o770: true, 0o755: true},
	} {
		for mode, refused := range modes {
			if err := os.Chmod(parts[part], mode); err != nil {
				t.Fatal(err)
			}
			err := f.Closed()
			if refused != (err != nil) || refused && (!strings.Contains(err.Error(), parts[part]) || !strings.Contains(hint.Of(err), "chmod ")) {
				t.Errorf("%s with mode %04o: %v, hint %q", part, mode, err, hint.Of(err))
			}
		}
		if err := os.Chmod(parts[part], 0o700); err != nil {
			t.Fatal(err)
		}
	}
}
