package vfs

import (
	"os"
	"strings"
	"sync"
)

// bootID is asked for once: later it may be out of reach.
var bootID = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
})

// Boot implements FS.
func (OS) Boot() string { return bootID() }
