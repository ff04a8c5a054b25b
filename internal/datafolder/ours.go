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
// service is, or has nothing but what is made in one, or has what no other program
// makes.
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
	if err != nil {
		return false, err
	}
	parts := []string{"keys", "lastlogin"} // both: Postfach was here
	known := append([]string{"accounts", "acme", "first-login.txt", "index", "mail", "maildirs", "run", "tls"}, parts...)
	some, others := false, false
	for _, name := range names {
		switch {
		case slices.Contains(known, name):
			some = true
		case name != "lost+found": // of a disk
			others = true
		}
	}
	if !others {
		return some, nil
	}
	return !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(names, p) }), nil
}
