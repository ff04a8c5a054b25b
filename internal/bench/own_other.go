//go:build !unix

package bench

import (
	"os"
	"time"
)

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }

// syncAll cannot be done here.
func syncAll() {}

// owner is not known here.
func owner(os.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }
