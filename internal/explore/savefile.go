package explore

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// SaveFile makes a new file, for its owner only, with what write gives it, and
// makes it durable. "~/" is the home folder. ErrExists: there is such a file, and
// it stays as it is. On any other error there is none.
func SaveFile(path string, write func(io.Writer) error) error {
	return newFile(vfs.OS{}, home(path), write)
}

// home replaces "~/" at the start of a path: what a person types into a face no
// shell has seen.
func home(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	dir, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(dir, rest)
}

// newFile writes a file beside the place where it is to be, and gives it its name
// when it is whole and durable. Nobody ever sees a part of it under that name.
func newFile(fsys vfs.FS, path string, write func(io.Writer) error) error {
	dir, base := filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	if _, err := fsys.Lstat(path); err == nil {
		return exists(path)
	}
	tmp := filepath.Join(dir, fmt.Sprintf(".%s.%s", base[:min(len(base), 100)], rand.Text()))
	if err := fill(fsys, tmp, write); err != nil {
		return err
	}
	// A link never replaces what came there meanwhile.
	err := fsys.Link(tmp, path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return errors.Join(exists(path), fsys.Remove(tmp))
	case err == nil:
		fsys.Remove(tmp) // else the file has a second name, and is no worse
	default: // not every file system has links
		err = rename(fsys, tmp, path)
	}
	if err != nil {
		return err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return errors.Join(err, fsys.Remove(path))
	}
	return nil
}

// fill makes a file, with its content durable. On an error it is gone.
func fill(fsys vfs.FS, name string, write func(io.Writer) error) error {
	f, err := fsys.Create(name, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, fsys.Remove(name))
	}
	return nil
}

// rename gives a file its name where there are no links. Whoever makes a file of
// that name in the moment between loses it: nothing better can be had there.
func rename(fsys vfs.FS, tmp, path string) error {
	_, err := fsys.Lstat(path)
	switch {
	case err == nil:
		err = exists(path)
	case errors.Is(err, fs.ErrNotExist):
		err = fsys.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, fsys.Remove(tmp))
	}
	return nil
}

func exists(path string) error {
	return hint.Add(fmt.Errorf("%s: %w", path, ErrExists), "choose another name; nothing is overwritten")
}
