package maildir

import "postfach/internal/vfs"

// A test that changes an operation of a file system changes it in open folders, too.
var (
	lockThrough = vfs.LockThrough
	openThrough = vfs.OpenThrough
)
