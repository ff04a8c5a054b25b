package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"postfach/internal/accounts/sources"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// isRead returns an error where the server that runs reads other files than this one,
// whatever configuration named it: what is changed there changes nothing. A server in a
// container has other names for the same files: then a person is told, who has named a
// configuration.
func (d *dataFlag) isRead(path string) error {
	said, err := os.ReadFile(d.folder().AccountFiles())
	if err != nil {
		return nil // there is no server, or an old one
	}
	read := strings.Split(strings.TrimSpace(string(said)), "\n")
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	unknown := false
	for _, name := range read {
		same, known := sameFile(name, path)
		if same {
			return nil
		}
		unknown = unknown || !known
	}
	if !serverRuns(d.folder()) {
		return nil
	}
	err = fmt.Errorf("the server that uses %s does not read %s, but %s", d.folder(), path, cmp.Or(strings.Join(read, ", "), "no file"))
	switch {
	case d.Config == "":
		return hint.Add(err, "name its configuration with --config FILE")
	case unknown:
		fmt.Fprintf(os.Stderr, "note: %v\nhint: all is well where the server is in a container and has another name for the file\n", err)
		return nil
	}
	return hint.Add(err, "it has another configuration than %s; or that one has changed, and SIGHUP makes the server read it", d.Config)
}

// sameFile reports whether two names are those of one file, which need not be there, and
// whether that can be known.
func sameFile(a, b string) (same, known bool) {
	x, _ := vfs.Real(a)
	y, _ := vfs.Real(b)
	if x == y {
		return true, true
	}
	above, err1 := os.Stat(filepath.Dir(x))
	beside, err2 := os.Stat(filepath.Dir(y))
	if err1 != nil || err2 != nil {
		return false, false
	}
	return filepath.Base(x) == filepath.Base(y) && os.SameFile(above, beside), true
}

// serverRuns reports whether a server has the folder's lock. A look takes the lock for
// a moment, so it is for when there is a reason: a server that starts just then waits.
func serverRuns(f datafolder.Folder) bool {
	lock, err := vfs.OS{}.Lock(f.Run())
	if err == nil {
		lock.Close()
	}
	return errors.Is(err, vfs.ErrLocked)
}

// noteReach says when a server that runs cannot use a new Maildir: it has given up all
// folders but those that it knew when it started.
func (d *dataFlag) noteReach(dir string) {
	f := d.folder()
	if runtime.GOOS != "linux" || !d.cfg.Confine || !f.Outside(dir) || !serverRuns(f) {
		return
	}
	kept := slices.Clone(d.cfg.ConfineMail)
	for _, s := range sources.Of(d.cfg) {
		if before, _, ok := strings.Cut(s.Maildir, "{"); ok {
			kept = append(kept, filepath.Dir(before+"x"))
		}
	}
	within := func(above string) bool {
		in, _ := vfs.Inside(above, dir)
		return in
	}
	if !slices.ContainsFunc(kept, within) {
		fmt.Fprintf(os.Stderr, "note: the server that runs cannot use %s before a restart, where it is confined: it knew no folder for mail above it\nhint: systemctl restart postfachd, or the like; with such a folder in confine_mail no further restart is needed\n", dir)
	}
}
