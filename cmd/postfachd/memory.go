package main

import (
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// useMemoryLimit tells Go how much memory the service manager or the container gives,
// so that it collects garbage in time and is not killed for some. GOMEMLIMIT in the
// environment goes before that.
func useMemoryLimit() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if own, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		if limit := memoryLimit("/sys/fs/cgroup", string(own)); limit < math.MaxInt64 {
			// Go counts neither its program nor files in the cache, but it counts the headroom.
			debug.SetMemoryLimit(limit/10*9 + headroom)
		}
	}
}

// headroom is how much is allocated at least between two collections of garbage. Go would
// collect it when its heap has 4 MiB, and again at 8 and at 16: in the midst of a login with
// a large maildrop, whose tables it then goes through while they are being filled. That took
// longer than to fill them. And with sessions that are short, of which little is alive, it
// would collect hundreds of times in a rush.
const headroom = 16 << 20

// keepHeadroom returns what stands for it until the process ends. It is memory that nobody
// touches, so the system gives none; where somebody has set a limit, every octet counts.
func keepHeadroom() []byte {
	if os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, headroom)
}

// memoryLimit is the lowest memory.max of a process's cgroup and those above it, in
// octets (cgroups(7), version 2). Without one it is the highest number there is.
func memoryLimit(root, own string) int64 {
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(own) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ok {
			text, err := os.ReadFile(path.Join(root, group, "memory.max"))
			if n, parsed := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && parsed == nil {
				limit = min(limit, n)
			}
			ok = group != "/" && group != "."
			group = path.Dir(group)
		}
	}
	return limit
}
