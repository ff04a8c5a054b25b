//go:build unix

package datafolder

import (
	"os"
	"path/filepath"
	"testing"

	"postfach/internal/vfs"
)

func TestWhatRootMakesBelongsToTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give")
	}
	const uid, gid = 12345, 23456
	f := Folder(t.TempDir())
	if err := os.Chown(string(f), uid, gid); err != nil {
		t.Fatal(err)
	}
	fsys, err := f.FS()
	if err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(string(f), "a", "b")
	if err := vfs.MkdirAll(fsys, inside, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := vfs.WriteFile(fsys, filepath.Join(inside, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	appended, err := fsys.Append(filepath.Join(inside, "log"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	appended.Close()
	for _, path := range []string{filepath.Dir(inside), inside, filepath.Join(inside, "file"), filepath.Join(inside, "log")} {
		if u, g, err := Folder(path).Owner(); u != uid || g != gid || err != nil {
			t.Errorf("%s belongs to %d:%d, %v", path, u, g, err)
		}
	}
}

func TestFolderOfRootIsGivenAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give")
	}
	f := Folder(filepath.Join(t.TempDir(), "data"))
	if err := f.Make(); err != nil {
		t.Fatal(err)
	}
	wantUID, wantGID := serviceUser()
	for _, dir := range []string{string(f), f.Mail(), f.Run()} {
		if uid, gid, err := Folder(dir).Owner(); uid != wantUID || gid != wantGID || uid == 0 || err != nil {
			t.Errorf("%s belongs to %d:%d, %v", dir, uid, gid, err)
		}
	}
	// One that root uses already stays root's: the server refuses it with a hint.
	used := Folder(t.TempDir())
	if err := os.Mkdir(used.Mail(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := used.Make(); err != nil {
		t.Fatal(err)
	}
	if uid, _, err := used.Owner(); uid != 0 || err != nil {
		t.Errorf("a folder in use was given to %d, %v", uid, err)
	}
}
