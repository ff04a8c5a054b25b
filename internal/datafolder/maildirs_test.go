package datafolder

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func made(_ bool, err error) error { return err }

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
		_, err := f.MakeMaildir(dir, false, mkdir)
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
	if _, err := f.MakeMaildir(anna, false, func(string) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	must(made(f.MakeMaildir(anna, false, mkdir))) // another time it works
	must(os.Remove(anna))
	refused("made before", anna, "is its disk mounted?")
	refused("nothing is there any more", otto, "nothing else is in "+f.Mail())
	must(os.Mkdir(anna, 0o700))
	must(os.WriteFile(filepath.Join(f.LastLogins(), "otto"), nil, 0o600))
	refused("who has logged in before", otto, "is its disk mounted?")
	must(os.Remove(filepath.Join(f.LastLogins(), "otto")))
	must(made(f.MakeMaildir(otto, false, mkdir)))
	must(os.Remove(anna))
	refused("made before, and others are there", anna, "is its disk mounted?")
}

// Several first deliveries at once make one Maildir, of which there is a note.
func TestMaildirIsMadeOnceByMany(t *testing.T) {
	f := Folder(t.TempDir())
	if err := f.MakeParts(); err != nil {
		t.Fatal(err)
	}
	create := func(dir string) error { return os.MkdirAll(filepath.Join(dir, "new"), 0o700) }
	for round := range 40 {
		dir := filepath.Join(f.Mail(), "user"+strconv.Itoa(round))
		var many sync.WaitGroup
		for range 8 {
			many.Go(func() {
				if _, err := f.MakeMaildir(dir, false, create); err != nil {
					t.Error(err)
				}
			})
		}
		many.Wait()
		if !f.HadMaildir(dir) {
			t.Errorf("%s: no note", dir)
		}
	}
	names, err := os.ReadDir(f.Mail())
	if err != nil || len(names) != 40 {
		t.Errorf("%d Maildirs, %v", len(names), err)
	}
}

// A process that is killed while it makes a Maildir leaves an account that gets one.
func TestMaildirThatWasHalfMadeIsMade(t *testing.T) {
	f := Folder(t.TempDir())
	if err := f.MakeParts(); err != nil {
		t.Fatal(err)
	}
	killed := errors.New("killed")
	for i, at := range []func(dir, half string){
		func(_, half string) { os.Mkdir(half, 0o700) }, // in create
		func(_, half string) { os.MkdirAll(filepath.Join(half, "new"), 0o700) },
		func(dir, half string) { // before the rename
			os.Mkdir(half, 0o700)
			if err := f.NoteMaildir(dir); err != nil {
				t.Error(err)
			}
			os.WriteFile(filepath.Join(f.LastLogins(), filepath.Base(dir)), nil, 0o600)
		},
	} {
		dir := filepath.Join(f.Mail(), "user"+strconv.Itoa(i))
		at(dir, half(dir))
		if _, err := f.MakeMaildir(dir, false, func(string) error { return killed }); !errors.Is(err, killed) {
			t.Errorf("%d: %v", i, err)
		}
		if _, err := f.MakeMaildir(dir, false, func(dir string) error { return os.MkdirAll(filepath.Join(dir, "new"), 0o700) }); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 || !f.HadMaildir(dir) {
			t.Errorf("%d: %v, %v, note %t", i, names, err, f.HadMaildir(dir))
		}
	}
}

// What is there is not forgotten.
func TestNoteOfAMaildirThatIsThereStays(t *testing.T) {
	f := Folder(t.TempDir())
	dir := filepath.Join(f.Mail(), "anna")
	if err := errors.Join(f.MakeParts(), f.NoteMaildir(dir), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	if f.ForgetMaildir(dir); !f.HadMaildir(dir) {
		t.Error("forgotten")
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if f.ForgetMaildir(dir); f.HadMaildir(dir) {
		t.Error("not forgotten")
	}
}

// However a Maildir is made, what stood for it until then is gone: a Maildir that goes
// later, with its disk, is not made again because of that.
func TestNothingStandsForAMaildirThatIsThere(t *testing.T) {
	f := Folder(t.TempDir())
	if err := f.MakeParts(); err != nil {
		t.Fatal(err)
	}
	create := func(dir string) error { return os.MkdirAll(filepath.Join(dir, "new"), 0o700) }
	for name, first := range map[string]func(dir string) error{
		"a person says so": func(dir string) error { return made(f.MakeMaildir(dir, true, create)) },
		"it is there": func(dir string) error {
			return errors.Join(create(dir), f.NoteMaildir(dir), made(f.MakeMaildir(dir, false, create)))
		},
		"a person says so, and it is there": func(dir string) error {
			return errors.Join(create(dir), made(f.MakeMaildir(dir, true, create)))
		},
	} {
		dir := filepath.Join(f.Mail(), strings.ReplaceAll(name, " ", "-"))
		if err := create(half(dir)); err != nil { // an interrupted call
			t.Fatal(err)
		}
		if err := first(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !f.HadMaildir(dir) {
			t.Errorf("%s: no note", name)
		}
		if err := os.Rename(dir, dir+".x"); err != nil { // the disk
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.MakeMaildir(dir, false, create); err == nil || !strings.Contains(err.Error(), "is its disk mounted?") {
			t.Errorf("%s: made again: %v", name, err)
		}
		if did, err := f.MakeMaildir(dir, true, create); err != nil || !did { // but not for a person
			t.Errorf("%s: %t, %v", name, did, err)
		}
	}
	elsewhere := filepath.Join(t.TempDir(), "anna")
	for _, want := range []bool{true, false} {
		if did, err := f.MakeMaildir(elsewhere, true, create); err != nil || did != want {
			t.Errorf("elsewhere: %t, %v", did, err)
		}
	}
}
