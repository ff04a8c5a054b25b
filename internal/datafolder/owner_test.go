//go:build unix

package datafolder

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/hint"
)

func ownerOf(t *testing.T, path string) (uid, gid int) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	uid, gid, err = owner(info)
	if err != nil {
		t.Fatal(err)
	}
	return uid, gid
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give")
	}
}

func TestFolderOfRootIsGivenAway(t *testing.T) {
	needRoot(t)
	f := Folder(filepath.Join(t.TempDir(), "data"))
	if err := f.Make(); err != nil {
		t.Fatal(err)
	}
	wantUID, wantGID := serviceUser()
	if uid, gid := ownerOf(t, string(f)); uid != wantUID || gid != wantGID || uid == 0 {
		t.Errorf("belongs to %d:%d", uid, gid)
	}
	if names, err := os.ReadDir(string(f)); err != nil || len(names) != 0 {
		t.Errorf("root has made %v in it, %v", names, err)
	}
	empty := t.TempDir()
	if err := Folder(empty).Make(); err != nil {
		t.Fatal(err)
	}
	if uid, _ := ownerOf(t, empty); uid != wantUID {
		t.Errorf("an empty one belongs to %d", uid)
	}
	if info, err := os.Stat(empty); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	// One that root uses already stays root's.
	used := Folder(t.TempDir())
	if err := used.MakeParts(); err != nil {
		t.Fatal(err)
	}
	if err := used.Make(); err != nil {
		t.Fatal(err)
	}
	if uid, _ := ownerOf(t, string(used)); uid != 0 {
		t.Errorf("a folder in use was given to %d", uid)
	}
	if err := used.Enter(); err == nil || !strings.Contains(err.Error(), "belongs to root") || !strings.Contains(hint.Of(err), "chown -R postfach:") {
		t.Errorf("Enter: %v, hint %q", err, hint.Of(err))
	}
}

// Whatever runs as nobody reads what is nobody's.
func TestFolderOfNobodysIsDoubted(t *testing.T) {
	needRoot(t)
	f := Folder(t.TempDir())
	for uid, want := range map[int]bool{0: false, 12345: false, nobodys(): true} {
		if err := os.Chown(string(f), uid, uid); err != nil {
			t.Fatal(err)
		}
		if err := f.Doubt(); (err != nil) != want || want && !strings.Contains(hint.Of(err), "systemd-sysusers") {
			t.Errorf("%d: %v, hint %q", uid, err, hint.Of(err))
		}
		if f.IsMine() != (uid == 0) {
			t.Errorf("%d: mine", uid)
		}
	}
}

func TestWhatALinkLeadsToIsNotGivenAway(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	victim := t.TempDir()
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	if err := Folder(link).Make(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, victim} {
		if uid, _ := ownerOf(t, path); uid != 0 {
			t.Errorf("%s was given to %d", path, uid)
		}
	}
	if err := Folder(link).Enter(); err == nil {
		t.Error("root stays root in a folder that a link leads to")
	}
}

// A link that the owner has put into the folder leads root nowhere.
func TestPartsAreMadeAsTheOwner(t *testing.T) {
	needRoot(t)
	const inside = "DATAFOLDER_TEST_ENTER"
	if data := os.Getenv(inside); data != "" {
		f := Folder(data)
		if err := f.Enter(); err != nil {
			t.Fatal(err)
		}
		if err := f.MakeParts(); err != nil { // the link is taken for the folder
			t.Error(err)
		}
		return
	}
	const uid, gid = 12345, 23456
	dir, victim := t.TempDir(), t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	f := Folder(dir)
	for _, link := range []string{f.Mail(), filepath.Dir(f.Key())} {
		if err := os.Symlink(filepath.Join(victim, "x"), link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inside+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if names, err := os.ReadDir(victim); err != nil || len(names) != 0 {
		t.Errorf("made where the link leads: %v, %v", names, err)
	}
	for _, part := range []string{f.Run(), filepath.Dir(f.APOPKey())} {
		if u, g := ownerOf(t, part); u != uid || g != gid {
			t.Errorf("%s belongs to %d:%d", part, u, g)
		}
	}
}
