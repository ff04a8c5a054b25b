package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// denied says what the owner of the data folder lacks. What lies in the folder is that
// user's; what lies elsewhere may be another program's, and is not given away.
func (d *dataFlag) denied(err error) error {
	name, uid := there(pathOf(err)), os.Geteuid()
	switch {
	case name == "":
		return hint.Add(err, "uid %d, whose data folder %s is, may not do this", uid, d.folder())
	case closedToOwner(name):
		return hint.Add(err, "%s is closed to its owner: chmod u+rwX %s", name, shellQuote(name))
	case d.folder().Outside(name):
		return hint.Add(err, "uid %d, whose data folder %s is, cannot use %s: let it, by the owner, the group or the mode", uid, d.folder(), name)
	}
	return hint.Add(err, "uid %d, whose data folder this is, must own it: chown %d %s, as root", uid, uid, name)
}

// closedToOwner reports whether this is ours, and only its mode is in the way.
func closedToOwner(name string) bool {
	info, err := vfs.OS{}.Stat(name)
	if err != nil || !info.Owner.Known || int(info.Owner.UID) != os.Geteuid() {
		return false
	}
	all := fs.FileMode(0o600)
	if info.Mode.IsDir() {
		all = 0o700
	}
	return info.Mode&all != all
}

// deniedDelivery is denied for a Maildir elsewhere that is there: it may be another
// user's, who wants to know how much a delivery needs.
func (d *dataFlag) deniedDelivery(err error) error {
	name := there(pathOf(err))
	if !errors.Is(err, fs.ErrPermission) || !d.folder().IsMine() || closedToOwner(name) || !d.folder().Outside(name) {
		return d.hinted(err)
	}
	return hint.Add(err, "uid %d, whose data folder %s is, cannot use %s: a delivery reads and searches the Maildir, writes to it where one of its folders is missing, and reads, searches and writes to its tmp and new; let it, by the owner, the group or the mode",
		os.Geteuid(), d.folder(), name)
}

// deniedMaildir is denied for a Maildir elsewhere that is to be made: root can make it
// for its owner.
func (d *dataFlag) deniedMaildir(err error, dir string) error {
	if !errors.Is(err, fs.ErrPermission) || !d.folder().IsMine() || !d.folder().Outside(dir) {
		return d.hinted(err)
	}
	uid := os.Geteuid()
	return hint.Add(err, "uid %d, whose data folder %s is, cannot write to %s; as root: install -d -m 700 -o %d -g %d %s",
		uid, d.folder(), there(pathOf(err)), uid, os.Getegid(), maildirIn(dir))
}

// maildirIn are the folders of a Maildir, in a form that a shell reads.
func maildirIn(dir string) string {
	text := shellQuote(dir)
	for _, sub := range []string{"new", "cur", "tmp"} {
		text += " " + shellQuote(filepath.Join(dir, sub))
	}
	return text
}

// pathOf is the path that an error of the file system is about; of two the new one.
func pathOf(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Path
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.New
	}
	return ""
}

// there is the path, or the deepest folder above it that can be looked at: where
// something cannot be made or entered, that is the folder which does not let one.
func there(path string) string {
	if path == "" || !filepath.IsAbs(path) {
		return path
	}
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// shellQuote is a path as a shell reads it.
func shellQuote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
