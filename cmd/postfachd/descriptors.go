package main

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"postfach/internal/config"
)

// What a server needs descriptors for.
const (
	// reserved are those beside sessions: listeners, log, accounts, certificates,
	// connections to a directory or a database.
	reserved = 64
	// perConnection are those of a session: the connection, the lock of its
	// maildrop, a message or a folder that is being read.
	perConnection = 3
)

// checkDescriptors makes the limit of connections what the process can hold, and
// says so when it is news: one that it cannot hold is none, and whoever is one too
// many then waits for a reply that nobody can send. The soft limit is not in the
// way: Go raises it to the hard one.
func checkDescriptors(cfg *config.Config, log *slog.Logger, said capacity) capacity {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("the limit of open files is not known", "err", err)
		return said
	}
	can := connections(uint64(limit.Cur)) // the type of Cur differs between systems
	now := capacity{wanted: cfg.Limits.Connections, can: can}
	if now.wanted <= can {
		return now
	}
	cfg.Limits.Connections = can
	switch {
	case now == said:
		return now
	case now.wanted == config.Default().Limits.Connections: // a bound that nobody asked for, not a wish
		log.Info("as many connections as the limit of open files is enough for", "connections", can, "open_files", limit.Cur)
		return now
	}
	log.Warn("fewer connections than configured: fewer files may be open", "connections", can, "configured", now.wanted, "open_files", limit.Cur,
		"hint", fmt.Sprintf("LimitNOFILE=%d in the unit file, ulimit -n %[1]d, or less in limits.connections", descriptors(now.wanted)))
	return now
}

// A capacity is how many connections somebody wants, and how many the process can
// hold.
type capacity struct{ wanted, can int }

// connections is how many a process with so many descriptors can hold.
func connections(files uint64) int {
	const most = 1 << 30
	if files <= reserved+perConnection {
		return 1
	}
	return int(min((files-reserved)/perConnection, most))
}

// descriptors is how many a process needs for so many connections.
func descriptors(connections int) uint64 { return perConnection*uint64(connections) + reserved }
