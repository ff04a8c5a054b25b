package datafolder

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Remedy says how the folder becomes the service's. Commands that change whole trees
// are for data folders only: a slip behind --data must not cost the system.
func (f Folder) Remedy() string {
	if ours, err := f.isOurs(); err != nil || !ours {
		return "this is no data folder of Postfach's: name another one with --data DIR"
	}
	return f.giveToService() + ", and let that user pass the folders above it"
}

// Needed says how this process comes to use the folder.
func (f Folder) Needed() string {
	_, err := f.isOurs()
	if err != nil || empty(string(f)) { // nobody can tell, or a new one
		return fmt.Sprintf("uid %d must own it, and pass the folders above it; or choose another one with --data DIR", os.Getuid())
	}
	return fmt.Sprintf("uid %d needs it: %s", os.Getuid(), f.Remedy())
}

func (f Folder) giveToService() string { return fmt.Sprintf("chown -R postfach: %s", f) }

// isOurs reports whether the folder looks like a data folder: it is where that of the
// service is, or has what no other program makes. A folder mail/ may be anybody's.
func (f Folder) isOurs() (bool, error) {
	if filepath.Clean(string(f)) == string(System) {
		return true, nil
	}
	dir, err := os.Open(string(f))
	if err != nil {
		return false, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	return slices.Contains(names, "keys") && slices.Contains(names, "lastlogin"), err
}
