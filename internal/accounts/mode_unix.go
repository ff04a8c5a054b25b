//go:build unix

package accounts

import (
	"fmt"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// closed refuses a file with secrets that others may read or change.
func closed(name string, info vfs.Info) error {
	if mode := info.Mode.Perm(); mode&0o077 != 0 {
		return hint.Add(fmt.Errorf("%s is open to others (mode %#o)", name, mode), "chmod 600 %s", name)
	}
	return nil
}
