// Package datafolder knows where things lie in Postfach's data folder, and to
// whom they belong: all of it to the folder's owner.
package datafolder

import (
	"os"
	"path/filepath"

	"postfach/internal/vfs"
)

// A Folder is the path of a data folder.
type Folder string

// System is the data folder of root and of the installed service.
const System Folder = "/var/lib/postfach"

// Default returns the folder that programs use without --data: root's is
// System, other users have their own under $XDG_STATE_HOME or
// ~/.local/state.
func Default() Folder {
	if os.Geteuid() == 0 {
		return System
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return Folder(filepath.Join(state, "postfach"))
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return System
	}
	return Folder(filepath.Join(home, ".local", "state", "postfach"))
}

// Or returns path as a Folder, or the default one when path is empty.
func Or(path string) Folder {
	if path == "" {
		return Default()
	}
	return Folder(path)
}

func (f Folder) in(name ...string) string {
	return filepath.Join(append([]string{string(f)}, name...)...)
}

// Mail is the folder of the maildrops: a Maildir a user.
func (f Folder) Mail() string { return f.in("mail") }

// Accounts is the file that says who may log in.
func (f Folder) Accounts() string { return f.in("accounts") }

// APOPKey is the key that seals APOP secrets.
func (f Folder) APOPKey() string { return f.in("keys", "apop") }

// DecoyKey is the key that unknown names get their fake salts by.
func (f Folder) DecoyKey() string { return f.in("keys", "decoy") }

// Tickets is the file with the keys of TLS session tickets.
func (f Folder) Tickets() string { return f.in("keys", "tickets") }

// LastLogins is the folder that says when which password was last used: a file a
// user.
func (f Folder) LastLogins() string { return f.in("lastlogin") }

// Index has what is known of large maildrops. All of it can be found out again.
func (f Folder) Index() string { return f.in("index") }

// Certificate and its private Key are PEM files.
func (f Folder) Certificate() string { return f.in("tls", "cert.pem") }

// Key is the private key of Certificate.
func (f Folder) Key() string { return f.in("tls", "key.pem") }

// ACME is the folder of certificates from an ACME server.
func (f Folder) ACME() string { return f.in("acme") }

// Run has what exists only while the server runs.
func (f Folder) Run() string { return f.in("run") }

// Listeners lists the addresses of a server that accepts.
func (f Folder) Listeners() string { return f.in("run", "listeners") }

// AccountFiles lists the files that a server which runs reads accounts from: a path
// a line.
func (f Folder) AccountFiles() string { return f.in("run", "accounts") }

// Lock is held by the server that uses the folder.
func (f Folder) Lock() string { return f.in("run", "lock") }

// FirstLogin has the password of the account that the first start made.
func (f Folder) FirstLogin() string { return f.in("first-login.txt") }

// Outside reports whether a file is elsewhere than in the folder, wherever links
// lead. What cannot be found out is inside, where rules are stricter.
func (f Folder) Outside(name string) bool {
	if _, err := os.Stat(filepath.Dir(name)); err != nil {
		return false
	}
	in, err := vfs.Inside(string(f), name)
	return err == nil && !in
}
