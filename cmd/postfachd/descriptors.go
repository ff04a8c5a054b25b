package main

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"postfach/internal/config"
)

// reserved is how many descriptors a server needs beside those of sessions:
// listeners, log, locks, the accounts file.
const reserved = 64

// checkDescriptors warns when the process cannot have as many open files as
// the connections that are allowed may need: each its own, and a message or a
// lock. The soft limit is not in the way: Go raises it to the hard one.
func checkDescriptors(cfg *config.Config, log *slog.Logger) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("the limit of open files is not known", "err", err)
		return
	}
	if cfg.Limits.Connections == config.Default().Limits.Connections {
		return // a bound that nobody asked for, not a wish
	}
	// The type of Cur differs between systems.
	if need := descriptors(cfg); uint64(limit.Cur) < need {
		log.Warn("fewer files may be open than connections need", "limit", limit.Cur, "needed", need,
			"hint", fmt.Sprintf("LimitNOFILE=%d in the unit file, ulimit -n %[1]d, or less in limits.connections", need))
	}
}

func descriptors(cfg *config.Config) uint64 {
	return 2*uint64(cfg.Limits.Connections)*uint64(len(cfg.Listeners)) + reserved
}
