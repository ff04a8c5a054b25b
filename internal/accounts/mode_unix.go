//go:build unix

package accounts

import (
	"fmt"
	"io/fs"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// closed refuses a file with secrets that others may read or change. A shared one
// may be read by its group.
func closed(name string, info vfs.Info, shared bool) error {
	mode, allowed, remedy := info.Mode.Perm(), fs.FileMode(0o600), "chmod 600 %s"
	if shared {
		allowed, remedy = 0o640, "chmod 640 %[1]s, if a group of this server's and another program's has to read it; else chmod 600 %[1]s"
	}
	if mode&0o077&^allowed != 0 {
		return hint.Add(fmt.Errorf("%s is open to others (mode %#o)", name, mode), remedy, name)
	}
	return nil
}
