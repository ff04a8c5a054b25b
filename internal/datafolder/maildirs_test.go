package datafolder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Maildir is made once, in the folder's mail/ and nowhere else: one that is gone may
// be on a disk that is not mounted, and what was delivered to another would be hidden
// by it later.
func TestMaildirIsMadeOnlyWhereItNeverWas(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mkdir := func(dir string) error { return os.Mkdir(dir, 0o700) }
	f := Folder(t.TempDir())
	must(f.MakeParts())
	anna, otto := filepath.Join(f.Mail(), "anna"), filepath.Join(f.Mail(), "otto")
	refused := func(why, dir, want string) {
		t.Helper()
		err := f.MakeMaildir(dir, mkdir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "postfach user mkdir") {
			t.Errorf("%s: %v", why, err)
		}
		if _, err := os.Lstat(dir); err == nil {
			t.Errorf("%s: made", why)
		}
	}
	refused("elsewhere", filepath.Join(t.TempDir(), "anna"), "owned by uid")
	refused("further down", filepath.Join(anna, "sub"), "owned by uid")
	full := errors.New("the disk is full")
	if err := f.MakeMaildir(anna, func(string) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	must(f.MakeMaildir(anna, mkdir)) // another time it works
	must(os.Remove(anna))
	refused("made before", anna, "is its disk mounted?")
	refused("nothing is there any more", otto, "nothing else is in "+f.Mail())
	must(os.Mkdir(anna, 0o700))
	must(os.WriteFile(filepath.Join(f.LastLogins(), "otto"), nil, 0o600))
	refused("who has logged in before", otto, "is its disk mounted?")
	must(os.Remove(filepath.Join(f.LastLogins(), "otto")))
	must(f.MakeMaildir(otto, mkdir))
	must(os.Remove(anna))
	refused("made before, and others are there", anna, "is its disk mounted?")
}
