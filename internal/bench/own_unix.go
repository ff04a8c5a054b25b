//go:build unix

package bench

import (
	"os"
	"syscall"
	"time"
)

// ownCPU returns what this process has used so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// syncAll waits until all that was written is on its disk.
func syncAll() { syscall.Sync() }

// owner returns who owns a file.
func owner(info os.FileInfo) (uid, gid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(s.Uid), int(s.Gid), true
}
