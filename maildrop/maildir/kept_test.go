package maildir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// A reader reads the messages of one session.
type reader struct {
	*testing.T
	*drop
	open *int // files and folders
}

// openThree delivers three messages, in cur/, and opens their maildrop.
func openThree(t *testing.T) (r reader, dir string) {
	t.Helper()
	root, open := t.TempDir(), 0
	s := storeOn(tallied{vfs.OS{}, &open}, root)
	dir = filepath.Join(root, maildroptest.User)
	for _, folder := range []string{tmpFolder, newFolder, curFolder} {
		must(t, os.MkdirAll(filepath.Join(dir, folder), 0o700))
	}
	for n := range 3 {
		must(t, os.WriteFile(filepath.Join(dir, curFolder, fmt.Sprintf("%d.mail", n)), []byte(text(n)), 0o600))
	}
	m, err := s.Open(t.Context(), maildroptest.User)
	must(t, err)
	t.Cleanup(func() {
		m.Close()
		if open != 0 || s.kept.Load() != 0 {
			t.Errorf("after Close %d are open, %d kept", open, s.kept.Load())
		}
	})
	return reader{t, m.(*drop), &open}, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(n int) string { return fmt.Sprintf("Subject: %d\n\ntext\n", n) }

// reads reads a message, after which so many folders are open beside the one that is locked.
func (r reader) reads(n, open int) {
	r.Helper()
	content, err := r.Content(r.Context(), r.Messages()[n].ID)
	if err != nil {
		r.Errorf("message %d: %v", n, err)
		return
	}
	octets, err := io.ReadAll(content)
	if err != nil || string(octets) != text(n) {
		r.Errorf("message %d: %q, %v", n, octets, err)
	}
	content.Close()
	r.stayOpen(open)
}

func (r reader) stayOpen(want int) {
	r.Helper()
	if got := *r.open - 1; got != want {
		r.Errorf("%d folders are open, want %d", got, want)
	}
}

// A session that reads one message needs no more than its lock; one that reads several
// keeps their folder open, until it pauses.
func TestFolderStaysOpenFromTheSecondMessageOn(t *testing.T) {
	r, _ := openThree(t)
	r.reads(0, 0)
	r.reads(1, 1)
	r.reads(2, 1)
	r.reads(1, 1)
	r.Pause()
	r.stayOpen(0)
	r.Pause()
	r.reads(2, 0)
	r.reads(0, 1)
}

// Promise 17: sessions keep so many folders open, all together.
func TestSoManyFoldersAreKeptOpen(t *testing.T) {
	r, _ := openThree(t)
	r.store.kept.Store(KeptFolders - 1)
	defer r.store.kept.Store(1) // its own
	other, _ := openThree(t)
	other.drop.store.kept.Store(KeptFolders)
	defer other.drop.store.kept.Store(0)
	for n := range 3 {
		r.reads(n, min(n, 1))
		other.reads(n, 0)
	}
}

// A message that another program renames is found, also when its folder is kept.
func TestRenamedMessageIsFoundInAFolderThatIsKept(t *testing.T) {
	r, dir := openThree(t)
	r.reads(0, 0)
	r.reads(1, 1)
	must(t, os.Rename(filepath.Join(dir, curFolder, "2.mail"), filepath.Join(dir, newFolder, "2.mail")))
	r.reads(2, 1)
	r.reads(1, 1)
}

// Whoever puts another folder in the place of one that is kept finds nothing of it read or
// removed (P3-UPD-03).
func TestKeptFolderIsTheOneThatWasFound(t *testing.T) {
	r, dir := openThree(t)
	r.reads(0, 0)
	r.reads(1, 1)
	cur, away := filepath.Join(dir, curFolder), filepath.Join(dir, "away")
	must(t, os.Rename(cur, away))
	must(t, os.Mkdir(cur, 0o700))
	for n := range 3 {
		must(t, os.WriteFile(filepath.Join(cur, fmt.Sprintf("%d.mail", n)), []byte(strings.ToUpper(text(n))), 0o600))
	}
	r.reads(2, 1)
	err := r.Update(t.Context(), []pop3.UniqueID{r.Messages()[0].ID, r.Messages()[1].ID})
	if _, ok := errors.AsType[*maildrop.UpdateError](err); !ok || !errors.Is(err, errMoved) {
		t.Errorf("Update: %v", err)
	}
	for _, folder := range []string{cur, away} {
		if files, err := os.ReadDir(folder); err != nil || len(files) != 3 {
			t.Errorf("%s has %d files, %v", folder, len(files), err)
		}
	}
}
