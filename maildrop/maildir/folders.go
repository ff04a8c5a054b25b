package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"postfach/internal/vfs"
)

// folder returns new/ or cur/, open. What is done in it is done in the folder that this
// session found, wherever a path leads by now: whoever owns the Maildir could put a
// link in its place, and see us read or remove files of others.
func (d *drop) folder(i uint8) (vfs.Folder, error) {
	if d.open[i] != nil {
		return d.open[i], nil
	}
	f, err := d.lock.OpenFolder(folderNames[i])
	if err != nil {
		return nil, err
	}
	if known := d.folders[i]; known != (vfs.FileID{}) && known != f.ID() {
		f.Close()
		return nil, fmt.Errorf("%s: %w", filepath.Join(d.root, folderNames[i]), errMoved)
	}
	d.open[i] = f
	return f, nil
}

// closeFolders ends what needed them: thousands of sessions wait for their clients, and
// none keeps more than its lock.
func (d *drop) closeFolders() {
	for i := range d.kept {
		if d.kept[i] {
			d.kept[i] = false
			d.store.kept.Add(-1)
		}
	}
	d.closeOthers()
}

// closeOthers is closeFolders but for those that are kept.
func (d *drop) closeOthers() {
	for i, f := range d.open {
		if f != nil && !d.kept[i] {
			f.Close()
			d.open[i] = nil
		}
	}
}

// KeptFolders is how many folders a Store keeps open for sessions that read one message
// after the other: to open a file in one of them costs a fifth less than with its path.
const KeptFolders = 32

// keepOpen is called before a message is read from a folder. From the second one on the
// folder stays open, until Pause.
func (d *drop) keepOpen(folder uint8) {
	if d.read++; d.read == 1 || d.open[folder] != nil {
		return
	}
	if d.store.kept.Add(1) > KeptFolders {
		d.store.kept.Add(-1)
		return
	}
	if _, err := d.folder(folder); err != nil { // as it will be found without
		d.store.kept.Add(-1)
		return
	}
	d.kept[folder] = true
}

// Pause implements maildrop.Pausing.
func (d *drop) Pause() {
	d.closeFolders()
	d.read = 0
}

// lstat examines the file at a place. Its folder is open, or is opened.
func (d *drop) lstat(p place) (vfs.Info, error) {
	f, err := d.folder(folderIndex(p.folder))
	if err != nil {
		return vfs.Info{}, err
	}
	return f.Lstat(p.name)
}

// sync makes durable what was done in new/ or cur/.
func (d *drop) sync(i uint8) error {
	f, err := d.folder(i)
	if err != nil {
		return err
	}
	return f.Sync()
}

// lookAt looks at new/ or cur/, which may be missing but must not be a link: that would
// lead out of the Maildir.
func (d *drop) lookAt(folder string) (folderState, error) {
	info, err := d.lock.Lstat(folder)
	return stateOf(filepath.Join(d.root, folder), info, err)
}

// stateOf is what a look at a folder says.
func stateOf(path string, info vfs.Info, err error) (folderState, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return folderState{}, nil
	}
	if err == nil && !info.Mode.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotFolder}
	}
	if err != nil {
		return folderState{}, err
	}
	state := folderState{folderTime{id: info.ID, modified: info.ModTime.UnixNano()}, info.ModTime}
	if !info.ChangeTime.IsZero() {
		state.time, state.changed = info.ChangeTime, info.ChangeTime.UnixNano()
	}
	return state, nil
}
