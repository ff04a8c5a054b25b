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
// whatever configuration named it: what is changed there changes nothing.
func (d *dataFlag) isRead(path string) error {
	said, err := os.ReadFile(d.folder().AccountFiles())
	if err != nil {
		return nil // there is no server, or an old one
	}
	read := strings.Split(strings.TrimSpace(string(said)), "\n")
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	isPath := func(name string) bool { return real(name) == real(path) }
	if slices.ContainsFunc(read, isPath) || !serverRuns(d.folder()) {
		return nil
	}
	err = fmt.Errorf("the server that uses %s does not read %s, but %s", d.folder(), path, cmp.Or(strings.Join(read, ", "), "no file"))
	if d.Config == "" {
		return hint.Add(err, "name its configuration with --config FILE")
	}
	return hint.Add(err, "it has another configuration than %s; or that one has changed, and SIGHUP makes the server read it", d.Config)
}

// real is a file's path without links, as far as it is there.
func real(name string) string {
	if path, err := filepath.EvalSymlinks(name); err == nil {
		return path
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil {
		return filepath.Join(dir, filepath.Base(name))
	}
	return filepath.Clean(name)
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
		rel, err := filepath.Rel(real(above), real(dir))
		return err == nil && filepath.IsLocal(rel)
	}
	if !slices.ContainsFunc(kept, within) {
		fmt.Fprintf(os.Stderr, "note: the server that runs cannot use %s before a restart, where it is confined: it knew no folder for mail above it\nhint: systemctl restart postfachd, or the like; with such a folder in confine_mail no further restart is needed\n", dir)
	}
}
