//go:build unix

package maildir

import (
	"os"
	"path/filepath"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// A hasty is another mail program that sets a flag in the very moment in which
// the store removes the file under its old name.
type hasty struct {
	vfs.FS
	renamed bool
}

func (h *hasty) Remove(name string) error {
	if !h.renamed && filepath.Base(filepath.Dir(name)) == curFolder {
		h.renamed = true
		if err := os.Rename(name, name+"S"); err != nil {
			return err
		}
	}
	return h.FS.Remove(name)
}

// Promise 2: a file that is not there under its name is looked for before it
// counts as removed.
func TestFlagSetWhileRemoving(t *testing.T) {
	root := t.TempDir()
	h := &hasty{FS: vfs.OS{}}
	s := newStore(t, h, root)
	dir := filepath.Join(root, maildroptest.User)
	all := fillMany(t, dir, 3)
	d := mustOpen(t, s)
	err := d.Update(t.Context(), messageIDs(all[:1]))
	d.Close()
	if err != nil || !h.renamed {
		t.Fatalf("Update: %v, renamed %v", err, h.renamed)
	}
	d = mustOpen(t, s)
	defer d.Close()
	if got := ids(d); len(got) != 2 || got[0] != all[1] {
		t.Errorf("after +OK: %q", got)
	}
}

// A chased file has a new flag whenever somebody is about to look at it, for so
// many times.
type chased struct {
	vfs.FS
	times int
}

func (c *chased) Lstat(name string) (vfs.Info, error) {
	if c.times > 0 && filepath.Base(filepath.Dir(name)) == curFolder {
		c.times--
		if err := os.Rename(name, name+"S"); err != nil {
			return vfs.Info{}, err
		}
	}
	return c.FS.Lstat(name)
}

// Promise 5: a message that moves is not left out of the listing.
func TestMessageThatIsRenamedAllTheTime(t *testing.T) {
	root := t.TempDir()
	c := &chased{FS: vfs.OS{}, times: 2 * maxReadings}
	s := newStore(t, c, root)
	all := fillMany(t, filepath.Join(root, maildroptest.User), 1)
	d := mustOpen(t, s)
	defer d.Close()
	if got := ids(d); len(got) != 1 || got[0] != all[0] {
		t.Errorf("listed %q, want %q", got, all)
	}
	c.times = 1000
	if d, err := s.Open(t.Context(), maildroptest.User); err == nil {
		t.Errorf("listed %q, and not all of it can be known", ids(d.(*drop)))
	}
}

func (h *hasty) Lock(dir string) (vfs.Lock, error) { return lockThrough(h, h.FS, dir) }

func (h *hasty) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(h, h.FS, dir) }

func (c *chased) Lock(dir string) (vfs.Lock, error) { return lockThrough(c, c.FS, dir) }

func (c *chased) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(c, c.FS, dir) }
