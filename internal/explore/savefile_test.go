package explore

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

func saying(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestSaveFileMakesANewFileForItsOwner(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	if err := SaveFile("~/a.txt", saying("x")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "a.txt")
	octets, err := os.ReadFile(name)
	info, ierr := os.Stat(name)
	if err != nil || ierr != nil || string(octets) != "x" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, %v, %v", octets, err, info.Mode())
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []string{name, filepath.Join(dir, "link"), dir} {
		if err := SaveFile(taken, saying("y")); !errors.Is(err, ErrExists) || hint.Of(err) == "" {
			t.Errorf("%s: %v", taken, err)
		}
	}
	if octets, _ := os.ReadFile(name); string(octets) != "x" || len(entries(t, dir)) != 2 {
		t.Errorf("%q, %q", octets, entries(t, dir))
	}
}

func TestSaveFileThatFailsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("broken")
	err := SaveFile(filepath.Join(dir, "a"), func(w io.Writer) error {
		return errors.Join(saying("half")(w), broken)
	})
	if !errors.Is(err, broken) || len(entries(t, dir)) != 0 {
		t.Errorf("%v, %q", err, entries(t, dir))
	}
	// Somebody else makes the file while this one is written.
	err = SaveFile(filepath.Join(dir, "a"), func(w io.Writer) error {
		return errors.Join(saying("mine")(w), os.WriteFile(filepath.Join(dir, "a"), []byte("theirs"), 0o600))
	})
	octets, _ := os.ReadFile(filepath.Join(dir, "a"))
	if !errors.Is(err, ErrExists) || string(octets) != "theirs" || len(entries(t, dir)) != 1 {
		t.Errorf("%v, %q, %q", err, octets, entries(t, dir))
	}
}

// Each operation fails once: the file is there, whole, or it is not; nil means
// that it survives a crash.
func TestSaveFileWhateverFails(t *testing.T) {
	for _, dead := range []bool{false, true} {
		for n := 1; ; n++ {
			disk := vfs.NewStrict()
			if err := errors.Join(disk.Mkdir("/d", 0o700), disk.SyncDir("/")); err != nil {
				t.Fatal(err)
			}
			fail := &vfs.Fail{FS: disk}
			fail.Arm(n, dead)
			err := newFile(fail, "/d/a", saying("text"))
			fired := fail.Fired()
			if _, there := contentOf(t, disk, "/d/a"); err != nil && there && !dead {
				t.Errorf("operation %d fails: %v, and there is a file", n, err)
			}
			disk.Crash(0)
			content, there := contentOf(t, disk, "/d/a")
			if there && content != "text" || err == nil && !there {
				t.Fatalf("operation %d fails: %v, %v, %q", n, err, there, content)
			}
			if !fired {
				if n < 8 {
					t.Errorf("only %d operations", n)
				}
				break
			}
		}
	}
}

func contentOf(t *testing.T, fsys vfs.FS, name string) (content string, there bool) {
	t.Helper()
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	octets, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(octets), true
}

// unlinked is a file system without links.
type unlinked struct{ vfs.FS }

func (unlinked) Link(string, string) error { return errors.ErrUnsupported }

func TestSaveFileWithoutLinks(t *testing.T) {
	dir := t.TempDir()
	fsys, name := unlinked{vfs.OS{}}, filepath.Join(dir, "a")
	if err := newFile(fsys, name, saying("x")); err != nil {
		t.Fatal(err)
	}
	if err := newFile(fsys, name, saying("y")); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	err := newFile(fsys, filepath.Join(dir, "b"), func(io.Writer) error { return os.WriteFile(filepath.Join(dir, "b"), nil, 0o600) })
	if !errors.Is(err, ErrExists) || len(entries(t, dir)) != 2 {
		t.Errorf("%v, %q", err, entries(t, dir))
	}
	if octets, _ := os.ReadFile(name); string(octets) != "x" {
		t.Errorf("%q", octets)
	}
}
