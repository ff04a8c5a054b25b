package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
)

// closedTo says, for the folder and its parts, which bits of the mode others must not
// have, and what takes them away. A group may read the folder, and write into mail/, as
// one that MTAs have.
func (f Folder) closedTo() []part {
	return []part{
		{string(f), 0o022, "go-w"},
		{f.Mail(), 0o002, "o-w"},
		{filepath.Dir(f.APOPKey()), 0o077, "go="},
		{f.ACME(), 0o077, "go="},
		{filepath.Dir(f.Key()), 0o022, "go-w"},
		{f.LastLogins(), 0o022, "go-w"},
		{f.Maildirs(), 0o022, "go-w"},
		{f.Index(), 0o022, "go-w"},
		{f.Run(), 0o022, "go-w"},
	}
}

type part struct {
	dir  string
	open fs.FileMode
	mend string // for chmod
}

// Closed is an error, with a hint, for each place where other users of the machine may do
// in the folder what they must not: write, or get at keys. Who may write into the folder
// itself can put another keys/ in the place of the one that is there.
func (f Folder) Closed() error {
	var all []error
	for _, part := range f.closedTo() {
		mode, err := modeOf(part.dir)
		if err == nil && mode&part.open != 0 {
			err = hint.Add(fmt.Errorf("the data folder is not closed: %s has mode %04o, and other users can get in", part.dir, mode),
				"chmod %s %s; and look whether what is in there is as you left it", part.mend, part.dir)
		}
		all = append(all, err)
	}
	return hint.Join(all...)
}

// Readable is an error, with a hint, where all users of the machine can look into parts
// of the folder that are not their business. It harms nobody: no mail is there, and no
// key that they could read.
func (f Folder) Readable() error {
	if top, err := modeOf(string(f)); err != nil || top&0o001 == 0 {
		return nil
	}
	var open []string
	for _, dir := range []string{filepath.Dir(f.Key()), f.LastLogins(), f.Maildirs(), f.Index(), f.Run()} {
		if mode, err := modeOf(dir); err == nil && mode&0o005 != 0 {
			open = append(open, dir)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return hint.Add(fmt.Errorf("all users of this machine can look into %s", strings.Join(open, " and ")), "chmod o= %s", strings.Join(open, " "))
}

// modeOf has no bits for what is not there.
func modeOf(dir string) (fs.FileMode, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}
