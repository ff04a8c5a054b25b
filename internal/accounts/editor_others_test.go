package accounts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/vfs"
	"postfach/pop3server"
)

// between does something once, between the last look at a file and what takes its
// place: when the new content has been written.
type between struct {
	vfs.FS
	times int
	do    func()
}

func (b *between) Create(name string, perm os.FileMode) (vfs.File, error) {
	if b.times > 0 && !strings.Contains(name, "keys") {
		b.times--
		b.do()
	}
	return b.FS.Create(name, perm)
}

// People with editors, and tools that configure machines, take no lock.
func TestChangeOfSomebodyWhoTakesNoLockStays(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"renamed": func(t *testing.T, path string) {
			write(t, path+".new", blf("otto")+"\n"+read(t, path), 0o600)
			must(t, os.Rename(path+".new", path))
		},
		"in place": func(t *testing.T, path string) { write(t, path, blf("otto")+"\n"+read(t, path), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t, blf("anna")+"\n")
			e := editorOf(f)
			e.FS = &between{vfs.OS{}, 1, func() { change(t, f.Path) }}
			must(t, e.SetPassword("anna", "new", "", true))
			login(t, f, "anna", "new", nil)
			login(t, f, "otto", "p w", nil)
		})
	}
}

func TestFileThatNeverRestsIsNotChanged(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	e := editorOf(f)
	e.FS = &between{vfs.OS{}, 1000, func() { write(t, f.Path, read(t, f.Path)+"# x\n", 0o600) }}
	if err := e.SetPassword("anna", "new", "", false); err == nil {
		t.Error("no error")
	}
	login(t, f, "anna", "p w", nil)
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(f.Path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What a killed edit leaves has the verifiers of all accounts.
func TestLeftoversOfKilledEditsAreRemoved(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	dir := filepath.Dir(f.Path)
	killed := filepath.Join(dir, ".accounts.ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	write(t, killed, blf("anna")+"\n", 0o600)
	others := []string{".accounts.swp", ".accounts.abcdefghijklmnopqrstuvwxyz", ".accounts.ABCDEFGHIJKLMNOPQRSTUVWXY", ".account.ABCDEFGHIJKLMNOPQRSTUVWXYZ", "accounts.ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
	for _, name := range others {
		write(t, filepath.Join(dir, name), "theirs\n", 0o600)
	}
	link := filepath.Join(dir, ".accounts.22222222222222222222222222")
	must(t, os.Symlink(f.Path, link))
	folder := filepath.Join(dir, ".accounts.33333333333333333333333333")
	must(t, os.Mkdir(folder, 0o700))
	must(t, editorOf(f).SetPassword("anna", "new", "", false))
	if _, err := os.Lstat(killed); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", killed, err)
	}
	for _, name := range append(others, filepath.Base(link), filepath.Base(folder)) {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// A bad line that names nobody is in nobody's way.
func TestLineWithoutANameStopsNobodysRemoval(t *testing.T) {
	f := newFile(t, blf("anna")+"\n:{PLAIN}x\n"+blf("otto")+"\n")
	e := editorOf(f)
	must(t, e.Remove("anna"))
	if got := read(t, f.Path); got != ":{PLAIN}x\n"+blf("otto")+"\n" {
		t.Errorf("left:\n%s", got)
	}
	must(t, e.SetPassword("otto", "new", "", false))
	must(t, e.Remove("")) // and this is how it goes
	login(t, f, "otto", "new", nil)
	login(t, f, "anna", "p w", pop3server.ErrCredentials)
}

// Others wait for the lock, and a hash takes its time.
func TestSlowWorkIsDoneBeforeTheLock(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	calls := 0
	work := func(line string) (string, error) {
		calls++
		lock, err := vfs.OS{}.Lock(filepath.Dir(f.Path))
		if err == nil {
			lock.Close()
		}
		if (err != nil) != (calls > 1) {
			t.Errorf("call %d: lock: %v", calls, err)
		}
		return withExtra(line, "n", strings.Repeat("i", calls)), nil
	}
	must(t, editorOf(f).slowly("anna", work))
	if got := read(t, f.Path); calls != 1 || !strings.HasSuffix(got, ":n=i\n") {
		t.Errorf("%d calls:\n%s", calls, got)
	}
	// The line is another one when its turn comes.
	calls = 0
	e := editorOf(f)
	e.FS = &between{vfs.OS{}, 1, func() { write(t, f.Path, blf("anna")+"::::::x\n", 0o600) }}
	must(t, e.slowly("anna", work))
	if got := read(t, f.Path); calls != 2 || !strings.HasSuffix(got, ":x n=ii\n") {
		t.Errorf("%d calls:\n%s", calls, got)
	}
}
