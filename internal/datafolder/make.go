package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// Make makes the folder and its parts where they are missing, open to nobody
// but their owner. A folder that root makes is given to the user postfach, or
// to nobody where there is no such user; one that exists keeps its owner.
func (f Folder) Make() error {
	if err := f.makeTop(); err != nil {
		return hint.Add(fmt.Errorf("make the data folder: %w", err), "choose another one with --data DIR")
	}
	fsys, err := f.FS()
	if err != nil {
		return err
	}
	for _, part := range []string{f.Mail(), f.Run(), filepath.Dir(f.APOPKey()), filepath.Dir(f.Key())} {
		if err := vfs.MkdirAll(fsys, part, 0o700); err != nil {
			return hint.Add(fmt.Errorf("make the data folder: %w", err),
				"it must belong to whoever runs the program: choose another with --data DIR, or run this as its owner")
		}
	}
	return nil
}

func (f Folder) makeTop() error {
	dir := string(f)
	err := os.MkdirAll(filepath.Dir(dir), 0o755)
	if err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return f.checkTop()
	}
	if err != nil {
		return err
	}
	if err := giveAway(dir); err != nil {
		return err
	}
	return vfs.OS{}.SyncDir(filepath.Dir(dir))
}

// checkTop looks at a folder that was there before. One that root made, and
// nobody has used, is given away like one that is made here.
func (f Folder) checkTop() error {
	info, err := os.Stat(string(f))
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", f)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	names, err := vfs.OS{}.ReadDir(string(f))
	if err != nil {
		return err
	}
	if uid, _, err := f.Owner(); err == nil && uid == 0 && len(names) == 0 {
		if err := os.Chmod(string(f), 0o700); err != nil {
			return err
		}
		return giveAway(string(f))
	}
	return nil
}

// FS returns the file system in which whoever runs the program may change the
// folder: what root makes in it belongs at once to the folder's owner, what
// others make is theirs anyway.
func (f Folder) FS() (vfs.FS, error) { return ownersFS(string(f)) }
