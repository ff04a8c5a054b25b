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
			debug.SetMemoryLimit(limit / 10 * 9) // Go counts neither its program nor files in the cache
		}
	}
}

// slack is memory that nobody uses or touches, so that the system gives none for it. Go
// collects garbage when there is as much as what is alive, and that is so little in a
// server whose sessions are short that it would collect all the time. With slack there may
// be so many octets more.
var slack []byte

// slackOctets are what a rush may leave behind, until it is quiet (giveMemoryBack).
const slackOctets = 16 << 20

// useSlack makes slack, unless memory is scarce.
func useSlack() {
	if debug.SetMemoryLimit(-1) >= 16*slackOctets {
		slack = make([]byte, slackOctets)
	}
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
