package maildir

import (
	"io/fs"
	"strings"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// The suite must notice a store that forgets one of the two syncs.
func TestSuiteHasTeeth(t *testing.T) {
	for name, c := range map[string]struct {
		wrap    func(vfs.FS) vfs.FS
		noticed string // the cases that must
	}{
		"files are not synced":   {func(f vfs.FS) vfs.FS { return noFileSync{f} }, "CrashDeliver"},
		"folders are not synced": {func(f vfs.FS) vfs.FS { return noDirSync{f} }, "CrashDeliver CrashUpdateEven CrashUpdateAll"},
		"renames, not links":     {func(f vfs.FS) vfs.FS { return &renames{FS: f, late: map[string]string{}} }, "CrashClones"},
		"removes nothing":        {func(f vfs.FS) vfs.FS { return noRemove{f} }, "UpdateRemovesTheseOnly FaultsUpdateEven"},
		"removes a neighbour":    {func(f vfs.FS) vfs.FS { return removesTwice{f} }, "UpdateRemovesTheseOnly FaultsUpdateThird"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, check := range maildroptest.Cases() {
				if !strings.Contains(" "+c.noticed+" ", " "+check.Name+" ") {
					continue
				}
				err := check.Check(func() maildroptest.Subject { return strictSubject(t, c.wrap) })
				if err == nil {
					t.Errorf("%s did not notice", check.Name)
				}
				t.Logf("%s: %v", check.Name, err)
			}
		})
	}
}

type noDirSync struct{ vfs.FS }

func (noDirSync) SyncDir(string) error { return nil }

type noFileSync struct{ vfs.FS }

func (n noFileSync) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := n.FS.Create(name, perm)
	return unsynced{f}, err
}

func (n noFileSync) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(n, n.FS, dir) }

type unsynced struct{ vfs.File }

func (unsynced) Sync() error { return nil }

// renames makes one rename of a link and the removal of the old name: a crash
// may split it.
type renames struct {
	vfs.FS
	late map[string]string
}

func (r *renames) Link(from, to string) error {
	if strings.Contains(from, "/"+tmpFolder+"/") {
		return r.FS.Link(from, to)
	}
	r.late[from] = to
	return nil
}

func (r *renames) Remove(name string) error {
	if to, ok := r.late[name]; ok {
		delete(r.late, name)
		return r.FS.Rename(name, to)
	}
	return r.FS.Remove(name)
}

type noRemove struct{ vfs.FS }

func (noRemove) Remove(string) error { return nil }

// removesTwice also removes another file of the folder.
type removesTwice struct{ vfs.FS }

func (r removesTwice) Remove(name string) error {
	dir := name[:strings.LastIndex(name, "/")]
	if names, err := r.FS.ReadDir(dir); err == nil && !strings.HasSuffix(dir, tmpFolder) {
		for _, other := range names {
			if dir+"/"+other != name {
				r.FS.Remove(dir + "/" + other)
				break
			}
		}
	}
	return r.FS.Remove(name)
}

func (n noDirSync) Lock(dir string) (vfs.Lock, error) { return lockThrough(n, n.FS, dir) }

func (n noDirSync) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(n, n.FS, dir) }

func (r *renames) Lock(dir string) (vfs.Lock, error) { return lockThrough(r, r.FS, dir) }

func (r *renames) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(r, r.FS, dir) }

func (n noRemove) Lock(dir string) (vfs.Lock, error) { return lockThrough(n, n.FS, dir) }

func (n noRemove) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(n, n.FS, dir) }

func (r removesTwice) Lock(dir string) (vfs.Lock, error) { return lockThrough(r, r.FS, dir) }

func (r removesTwice) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(r, r.FS, dir) }
