package datafolder

import (
	"fmt"
	"os"
	"path/filepath"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// Served returns what a server leaves in the folder that has served from it: a key of
// its own, or somebody's last login. Empty: none has.
func (f Folder) Served() string {
	for _, key := range []string{f.DecoyKey(), f.Tickets()} {
		if vfs.Exists(key) {
			return key
		}
	}
	return something(f.LastLogins(), "")
}

// LostAccounts is an error, with a hint, where an accounts file is not there and a server
// has served from the folder before, wherever the file lies. Its disk may not be mounted:
// mail for all accounts in it would bounce for good, were another made in its place.
func (f Folder) LostAccounts(file string) error {
	trace := f.Served()
	if trace == "" || vfs.Exists(file) {
		return nil
	}
	return hint.Add(fmt.Errorf("the accounts file %s is gone, and %s shows that the folder was in use", file, trace),
		"is its disk mounted? else put it back from a backup; an empty file there, with mode 0600, begins without any account, and then mail for all of them bounces")
}

// Used returns what shows that the folder had accounts: what a server leaves, a key
// that seals secrets, or a Maildir and the note of one. Those of the user first do not
// count, whom a first start that was cut short may have left. Empty: there is nothing.
func (f Folder) Used(first string) string {
	if trace := f.Served(); trace != "" {
		return trace
	}
	for _, dir := range []string{filepath.Dir(f.APOPKey()), f.Maildirs(), f.Mail()} {
		if trace := something(dir, first); trace != "" {
			return trace
		}
	}
	return ""
}

// something is the path of something in a folder, save what has the name but.
func something(dir, but string) string {
	d, err := os.Open(dir)
	if err != nil {
		return ""
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		if name != but && filepath.Join(dir, name) != half(filepath.Join(dir, but)) && name != "lost+found" { // a file system's own, where mail/ is a disk
			return filepath.Join(dir, name)
		}
	}
	return ""
}
