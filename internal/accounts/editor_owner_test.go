//go:build unix

package accounts

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/hint"
	"postfach/internal/unprivileged"
	"postfach/internal/vfs"
)

// Another program reads a shared file, too, because its group may.
func TestSharedFileKeepsOwnerGroupAndMode(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to a group that it is not in")
	}
	const uid, gid = 12345, 23456
	for _, mask := range []int{0o022, 0o077, 0o777} {
		for _, mode := range []os.FileMode{0o600, 0o640, 0o440} {
			f := newFile(t, blf("anna")+"\n")
			must(t, os.Chown(f.Path, uid, gid))
			must(t, os.Chmod(f.Path, mode))
			e := editorOf(f)
			f.Shared, e.Shared = true, true
			before := syscall.Umask(mask)
			err := e.SetPassword("anna", "new", "", false)
			syscall.Umask(before)
			must(t, err)
			info, err := os.Stat(f.Path)
			must(t, err)
			if st := info.Sys().(*syscall.Stat_t); st.Uid != uid || st.Gid != gid || info.Mode() != mode {
				t.Errorf("with umask %#o it is %d:%d, mode %#o, and was %d:%d, mode %#o", mask, st.Uid, st.Gid, info.Mode(), uid, gid, mode)
			}
			login(t, f, "anna", "new", nil)
		}
	}
}

// foreign says that files of one name are somebody else's.
type foreign struct {
	vfs.FS
	path  string
	owner vfs.Owner
}

func (o foreign) Open(name string) (vfs.File, error) {
	f, err := o.FS.Open(name)
	if err == nil && name == o.path {
		f = foreignFile{f, o.owner}
	}
	return f, err
}

type foreignFile struct {
	vfs.File
	owner vfs.Owner
}

func (f foreignFile) Info() (vfs.Info, error) {
	info, err := f.File.Info()
	info.Owner = f.owner
	return info, err
}

// Whoever owns the file says who may log in, whatever its mode.
func TestFileOfAStrangerIsRefused(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	me := uint32(os.Geteuid())
	for uid, want := range map[uint32]bool{me: true, 0: true, me + 1: false} {
		f := newFile(t, blf("anna")+"\n")
		f.FS = foreign{vfs.OS{}, f.Path, vfs.Owner{Known: true, UID: uid, GID: uint32(os.Getegid())}}
		f.Shared = true
		must(t, os.Chmod(f.Path, 0o640))
		err := f.Load()
		if (err == nil) != want || err != nil && !strings.Contains(hint.Of(err), "chown") {
			t.Errorf("file of uid %d: %v, hint %q", uid, err, hint.Of(err))
		}
		e := Editor{Path: f.Path, Shared: true, FS: f.FS}
		if err := e.SetPassword("anna", "new", "", false); (err == nil) != want {
			t.Errorf("file of uid %d: SetPassword: %v", uid, err)
		}
	}
}

// Better no change than one that takes the file away from the other program.
func TestFileWhoseGroupCannotBeKeptStays(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	f := newFile(t, blf("anna")+"\n")
	must(t, os.Chmod(f.Path, 0o640))
	e := Editor{Path: f.Path, Shared: true, FS: foreign{vfs.OS{}, f.Path, vfs.Owner{Known: true, UID: uint32(os.Geteuid()), GID: 1}}}
	before := read(t, f.Path)
	err := e.SetPassword("anna", "new", "", false)
	if err == nil || !strings.Contains(hint.Of(err), "into group 1, or ") || !strings.Contains(hint.Of(err), "chmod g+s "+filepath.Dir(f.Path)) {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
	if got := read(t, f.Path); got != before {
		t.Errorf("left:\n%s", got)
	}
	if left, _ := os.ReadDir(filepath.Dir(f.Path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
