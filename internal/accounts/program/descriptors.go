//go:build unix

package program

import (
	"os"
	"strconv"
	"syscall"
)

// keepDescriptors keeps from programs what this process itself was started with,
// such as the descriptors of a careless shell. All that it opens is kept from them
// by Go.
func keepDescriptors() error {
	if closeOnExec() == nil {
		return nil
	}
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		return err
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd) // means nothing to one that was closed since
		}
	}
	return nil
}
