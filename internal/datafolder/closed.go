package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"postfach/internal/hint"
)

// Closed is an error, with a hint, where other users of the machine may do in the
// folder what they must not. Who may write into the folder itself can put another
// keys/ in the place of the one that is there.
//
// A group may read the folder, and write into mail/, as one that MTAs have.
func (f Folder) Closed() error {
	for _, part := range []struct {
		dir  string
		open fs.FileMode // what is refused
		mend string
	}{
		{string(f), 0o022, "go-w"},
		{f.Mail(), 0o002, "o-w"},
		{filepath.Dir(f.APOPKey()), 0o077, "go="},
		{f.ACME(), 0o077, "go="},
		{filepath.Dir(f.Key()), 0o027, "g-w,o="},
		{f.LastLogins(), 0o027, "g-w,o="},
		{f.Maildirs(), 0o027, "g-w,o="},
		{f.Index(), 0o027, "g-w,o="},
		{f.Run(), 0o027, "g-w,o="},
	} {
		info, err := os.Stat(part.dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode&part.open != 0 {
			return hint.Add(fmt.Errorf("the data folder is not closed: %s has mode %04o, and other users can get in", part.dir, mode),
				"chmod %s %s; and look whether what is in there is as you left it", part.mend, part.dir)
		}
	}
	return nil
}
