package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"postfach/internal/accounts/sources"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// lockFolder keeps a second server away from the same data. The lock ends with
// the process, however that ends.
func lockFolder(folder datafolder.Folder) (io.Closer, error) {
	lock, err := vfs.OS{}.Lock(folder.Run())
	if errors.Is(err, vfs.ErrLocked) {
		return nil, hint.Add(fmt.Errorf("another postfachd uses the data folder %s", folder),
			"end that one, or choose another folder with --data DIR; %s says where it listens", folder.Listeners())
	}
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	return lock, nil
}

// checkReach looks whether the server may touch what it needs, as the user that
// it is by now, before any client could find out.
func checkReach(f *flags, cfg *config.Config, folder datafolder.Folder) error {
	for _, dir := range []string{string(folder), folder.Mail(), folder.Run()} {
		if err := reachFolder(dir); err != nil {
			return hint.Add(fmt.Errorf("the data folder cannot be used: %w", err), "uid %d needs it: %s", os.Getuid(), folder.Remedy())
		}
	}
	for _, name := range append(cfg.Files(), f.Config) {
		if err := readable(name); err != nil {
			return err
		}
	}
	return nil
}

// reachFolder asks the system whether this process may list the folder, and
// make and remove what is in it.
func reachFolder(dir string) error {
	if err := unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "use", Path: dir, Err: err}
	}
	return nil
}

// announce tells where the server listens, on stdout and in the run folder.
func announce(folder datafolder.Folder, sockets []*socket, stdout io.Writer) error {
	var b strings.Builder
	for _, s := range sockets {
		fmt.Fprintf(&b, "listening %s %s\n", s.protocol(), s.Addr())
	}
	if err := vfs.WriteFile(vfs.OS{}, folder.Listeners(), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("tell where the server listens: %w", err)
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}

// tellAccountFiles tells the tools which files the server reads accounts from: an
// account that is added to another one lets nobody in.
func (d *daemon) tellAccountFiles() {
	var b strings.Builder
	for _, spec := range sources.Of(d.cfg) {
		if spec.Type != config.FileSource {
			continue
		}
		path, err := filepath.Abs(sources.FilePath(spec, d.folder))
		if err == nil {
			b.WriteString(path + "\n")
		}
	}
	if err := vfs.WriteFile(vfs.OS{}, d.folder.AccountFiles(), []byte(b.String()), 0o600); err != nil {
		d.log.Warn("tools do not know where the accounts are", "err", err)
	}
}
