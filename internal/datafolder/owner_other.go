//go:build !unix

package datafolder

import (
	"errors"

	"postfach/internal/vfs"
)

// Owner is not known here.
func (f Folder) Owner() (uid, gid int, err error) { return 0, 0, errors.ErrUnsupported }

func giveAway(string) error { return nil }

func ownersFS(string) (vfs.FS, error) { return vfs.OS{}, nil }
