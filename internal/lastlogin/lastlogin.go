// Package lastlogin keeps when each password of an account was last used, and from
// where: one small file a user. That is for people, who revoke what nobody uses
// and notice what they did not do; nothing depends on it, so it is written beside
// the login and not before it, and may be lost.
package lastlogin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"postfach/internal/vfs"
)

// A Login is the last one with some credential.
type Login struct {
	Time      time.Time `json:"time"` // to the minute: others within it are not written down
	Address   string    `json:"address,omitempty"`
	Mechanism string    `json:"mechanism"`
	TLS       string    `json:"tls,omitempty"` // the version, as in "TLS 1.3"; empty: none
}

// maxCredentials is how many a file remembers: the latest.
const maxCredentials = 128

// maxFile bounds what is read, in octets.
const maxFile = 64 << 10

// errDamaged: nothing can be known from a file any more.
var errDamaged = errors.New("the file is damaged")

// lockWait is how long one change waits for another: those of the server and of tools
// do not lose each other's.
const lockWait = 2 * time.Second

// Read returns the last logins of a user, by credential: "" is the account's
// password. No login yet is none, and no error. nil is the real file system.
func Read(fsys vfs.FS, dir, user string) (map[string]Login, error) {
	if fsys == nil {
		fsys = vfs.OS{}
	}
	name, err := file(dir, user)
	if err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, err
	}
	if len(content) == 0 { // a crash; nothing here is synced
		return nil, nil
	}
	var logins map[string]Login
	if err := json.Unmarshal(content, &logins); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, errDamaged, err)
	}
	return logins, nil
}

// Remove forgets a user, or one credential of his: another account, or another
// password, may get the name.
func Remove(fsys vfs.FS, dir, user string, credential ...string) error {
	if fsys == nil {
		fsys = vfs.OS{}
	}
	name, err := file(dir, user)
	if err != nil {
		return err
	}
	lock, err := vfs.LockWithin(fsys, dir, lockWait)
	if errors.Is(err, fs.ErrNotExist) { // nobody has ever logged in
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	vfs.Sweep(fsys, name)
	if len(credential) > 0 {
		logins, err := Read(fsys, dir, user)
		if err != nil || len(logins) == 0 {
			return err
		}
		for _, c := range credential {
			delete(logins, c)
		}
		return write(fsys, name, logins)
	}
	if err := fsys.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// file is where a user's logins are. Names of users are safe as parts of paths, and
// nothing else may come here.
func file(dir, user string) (string, error) {
	if user == "" || strings.HasPrefix(user, ".") || strings.ContainsAny(user, "/\\\x00") {
		return "", fmt.Errorf("user name %q is not allowed", user)
	}
	return filepath.Join(dir, user), nil
}

// update writes down one login.
func update(fsys vfs.FS, dir, user, credential string, l Login) error {
	name, err := file(dir, user)
	if err != nil {
		return err
	}
	lock, err := vfs.LockWithin(fsys, dir, lockWait)
	if err != nil {
		return err
	}
	defer lock.Close()
	vfs.Sweep(fsys, name)
	logins, err := Read(fsys, dir, user)
	if err != nil && !errors.Is(err, errDamaged) { // that one is begun anew
		return err
	}
	if logins == nil {
		logins = map[string]Login{}
	}
	logins[credential] = l
	if len(logins) > maxCredentials {
		oldest := slices.SortedFunc(maps.Keys(logins), func(a, b string) int { return logins[a].Time.Compare(logins[b].Time) })
		for _, c := range oldest[:len(logins)-maxCredentials] {
			delete(logins, c)
		}
	}
	return write(fsys, name, logins)
}

// write replaces a file at once, and not durably: a reader sees the old one or the
// new one, and a crash may cost both.
func write(fsys vfs.FS, name string, logins map[string]Login) error {
	content, err := json.Marshal(logins)
	if err != nil {
		return err
	}
	return vfs.Replacement{Perm: 0o600, Volatile: true}.Write(fsys, name, append(content, '\n'))
}
