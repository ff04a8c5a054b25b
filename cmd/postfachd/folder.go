package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// lockWait is for tools, which look with the lock itself whether a server runs.
const lockWait = 200 * time.Millisecond

// lockFolder keeps a second server away from the same data. The lock ends with
// the process, however that ends.
func lockFolder(folder datafolder.Folder) (io.Closer, error) {
	lock, err := vfs.LockWithin(vfs.OS{}, folder.Run(), lockWait)
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
// it is by now, and others may not, before any client could find out.
func checkReach(cfg *config.Config, folder datafolder.Folder, log *slog.Logger) error {
	if err := folder.Closed(); err != nil {
		return err
	}
	if err := folder.Readable(); err != nil {
		log.Warn("the data folder is open to readers", "err", err)
	}
	for _, dir := range []string{string(folder), folder.Mail(), folder.Run()} {
		if err := reachFolder(dir); err != nil {
			return hint.Add(fmt.Errorf("the data folder cannot be used: %w", err), "%s", folder.Needed())
		}
	}
	for _, name := range cfg.Files() {
		if err := readable(name); err != nil {
			return err
		}
	}
	return checkPrograms(cfg, folder)
}

// reachFolder asks the system whether this process may list the folder, and
// make and remove what is in it.
func reachFolder(dir string) error {
	if err := unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "use", Path: dir, Err: err}
	}
	return nil
}

// readable asks whether a file can be read.
func readable(name string) error {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return hint.Add(fmt.Errorf("the server cannot read what it needs: %w", err), "the configuration names a file that is not there")
	}
	if err != nil {
		return hint.Add(fmt.Errorf("the server cannot read what it needs: %w", err),
			"uid %d must be able to read the file, at the start and after SIGHUP", os.Getuid())
	}
	return file.Close()
}
