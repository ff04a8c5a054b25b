//go:build !unix

package privilege

import "errors"

// Root is false: there is no such user here.
func Root() bool { return false }

// Become is not known here.
func Become(uid, gid int) error { return errors.ErrUnsupported }
