package vfs

import (
	"os"
	"path/filepath"
	"testing"
)

// A path is where links lead, and what is not there yet is where it would be.
func TestInsideFollowsLinks(t *testing.T) {
	folder, other := t.TempDir(), t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	out := func(name string) string { return filepath.Join(other, name) }
	for _, err := range []error{
		os.Mkdir(in("sub"), 0o700), os.WriteFile(out("file"), nil, 0o600),
		os.Symlink(out("file"), in("leads out")), os.Symlink(folder, out("leads in")), os.Symlink(in("nothing"), in("dangles")),
	} {
		if err != nil {
			t.Skip(err) // a system without links
		}
	}
	for path, want := range map[string]bool{
		folder: true, in("sub"): true, in("sub/new/newer"): true, in("..x"): true, in("dangles"): true, out("leads in/x"): true,
		other: false, filepath.Dir(folder): false, folder + "x": false, in("leads out"): false, in("sub/../../x"): false, out("none/users"): false,
	} {
		if got, err := Inside(folder, path); got != want || err != nil {
			t.Errorf("%s: %t, %v", path, got, err)
		}
	}
	if got, err := Inside(folder, in("\x00/x")); !got || err == nil {
		t.Errorf("what cannot be found out: %t, %v", got, err)
	}
	for path, want := range map[string]bool{folder: true, in("dangles"): true, in("nothing"): false, in("nothing/x"): false, in("\x00"): true} {
		if Exists(path) != want {
			t.Errorf("%s: exists %t", path, !want)
		}
	}
}
