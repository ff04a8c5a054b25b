package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"postfach/internal/vfs"
)

// incoming are the folders that a delivery works in, open. What is done in them is done
// there, wherever a path leads by now: whoever owns the Maildir could put a link in the
// place of one, and see us make or remove files elsewhere.
type incoming struct {
	tmp, fresh vfs.Folder // fresh is new/
}

func (in incoming) close() {
	in.tmp.Close()
	in.fresh.Close()
}

// incoming checks that root is a Maildir, makes a folder that it lacks, and opens those
// that a delivery needs.
func (s *Store) incoming(root string) (incoming, error) {
	home, err := s.home(root)
	if err != nil {
		return incoming{}, err
	}
	defer home.Close()
	if err := complete(home, root); err != nil {
		return incoming{}, err
	}
	tmp, err := home.OpenFolder(tmpFolder)
	if err != nil {
		return incoming{}, err
	}
	fresh, err := home.OpenFolder(newFolder)
	if err != nil {
		tmp.Close()
		return incoming{}, err
	}
	return incoming{tmp, fresh}, nil
}

// home opens the folder of a Maildir, which may be a link.
func (s *Store) home(root string) (vfs.Folder, error) {
	home, err := s.fs().OpenFolder(root)
	if !errors.Is(err, fs.ErrNotExist) {
		return home, err
	}
	if _, err := s.fs().Lstat(root); err != nil {
		return nil, noUser(err)
	}
	home, err = s.fs().OpenFolder(root) // it may have appeared, whole, a moment ago
	if errors.Is(err, fs.ErrNotExist) { // a link that leads nowhere: its disk may be away
		err = fmt.Errorf("%s: %w", root, ErrNoFolders)
	}
	return home, err
}

// complete makes a folder that a Maildir lacks.
func complete(home vfs.Folder, root string) error {
	missing, err := lacks(home, root)
	if err != nil || len(missing) == 0 {
		return err
	}
	if len(missing) > 1 && missing[1] == curFolder {
		return fmt.Errorf("%s: %w", root, ErrNoFolders)
	}
	for _, folder := range missing {
		if err := home.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return home.Sync()
}

// lacks returns the folders that a Maildir lacks, new/ and cur/ before tmp/.
func lacks(home vfs.Folder, root string) (missing []string, err error) {
	for _, folder := range []string{newFolder, curFolder, tmpFolder} {
		info, err := home.Lstat(folder)
		state, err := stateOf(filepath.Join(root, folder), info, err)
		if err != nil {
			return nil, err
		}
		if state.missing() {
			missing = append(missing, folder)
		}
	}
	return missing, nil
}
