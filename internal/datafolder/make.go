package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"postfach/internal/hint"
	"postfach/internal/privilege"
	"postfach/internal/vfs"
)

// A program uses a folder in three steps: Make, Enter, MakeParts. Root makes
// the folder and touches nothing in it: by then it is its owner.

// Make makes the folder itself where it is missing, open to nobody but its
// owner. One that root makes is given to the user postfach, or to nobody where
// there is no such user, as is an empty one of root's. Others keep their owner.
func (f Folder) Make() error {
	if err := f.makeTop(); err != nil {
		return hint.Add(fmt.Errorf("make the data folder: %w", err), "choose another one with --data DIR")
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
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is not a folder", f)
		}
		if err != nil || !privilege.Root() {
			return err
		}
		return giveAway(dir)
	}
	if err != nil {
		return err
	}
	if privilege.Root() {
		if err := giveAway(dir); err != nil {
			return err
		}
	}
	return vfs.OS{}.SyncDir(filepath.Dir(dir))
}

// Enter makes a process that has root's rights the owner of the folder, for
// good. Whoever takes the process over has the folder and nothing else of the
// machine; and no link that the owner put into the folder leads root anywhere.
// For others it does nothing.
func (f Folder) Enter() error {
	if !privilege.Root() {
		return nil
	}
	uid, gid, err := f.ids()
	if err != nil {
		return err
	}
	if uid == 0 || gid == 0 {
		return hint.Add(fmt.Errorf("the data folder %s belongs to root, and root serves nobody", f), "%s", f.Remedy())
	}
	if err := privilege.Become(uid, gid); err != nil {
		return hint.Add(fmt.Errorf("become uid %d, gid %d: %w", uid, gid, err), "run this as the owner of %s instead", f)
	}
	return nil
}

// MakeParts makes what is missing in the folder.
func (f Folder) MakeParts() error {
	for _, part := range []string{f.Mail(), f.Run(), f.LastLogins(), filepath.Dir(f.APOPKey()), filepath.Dir(f.Key())} {
		if err := vfs.MkdirAll(vfs.OS{}, part, 0o700); err != nil {
			return hint.Add(fmt.Errorf("make the data folder: %w", err), "%s", f.Needed())
		}
	}
	return nil
}
