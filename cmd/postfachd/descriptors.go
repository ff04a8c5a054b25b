package main

import (
	"cmp"
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"postfach/internal/certificates"
	"postfach/internal/config"
	"postfach/maildrop/maildir"
)

// What a server needs descriptors for.
const (
	// ownFiles are those of any server: logs, locks, accounts and certificates that
	// are being read, names that are being looked up.
	ownFiles = 60
	// perListener are the address, and a connection that is accepted to be refused.
	perListener = 2
	// perServer is the pipe in which a spare goroutine of pop3server waits.
	perServer = 2
	// asking are the connections to an OpenID provider, or to an ACME server.
	asking = 16
	// perRun are those of a helper program: what it hears, and what it says.
	perRun = 4
	// perConnection are those of a session: the connection, the lock of its
	// maildrop, a message or a folder that is being read.
	perConnection = 3
)

// reserved are the descriptors that are not for sessions, at most.
func reserved(cfg *config.Config) uint64 {
	files := ownFiles + maildir.KeptFolders + (perListener+perServer)*len(cfg.Listeners)
	if cfg.OIDC.Issuer != "" {
		files += asking
	}
	if len(cfg.TLS.ACME.Hosts) > 0 {
		files += asking
	}
	if cfg.TLS.ACME.ListenAddress() != "" {
		files += perListener + certificates.ResponderConnections
	}
	for _, s := range cfg.Sources {
		switch atOnce := cmp.Or(s.AtOnce, usualAtOnce); s.Type {
		case config.LDAPSource: // searches and checks
			files += 2 * atOnce
		case config.SQLSource:
			files += atOnce
		case config.ProgramSource:
			files += perRun * atOnce
		}
	}
	return uint64(files)
}

// usualAtOnce is what sources do at once that are not told.
const usualAtOnce = 4

// checkDescriptors returns the limit of connections: what is configured, or what the
// process can hold, and says so when it is news: a limit that it cannot hold is none,
// and whoever is one too many then waits for a reply that nobody can send. The soft
// limit is not in the way: Go raises it to the hard one.
func checkDescriptors(cfg *config.Config, log *slog.Logger, said capacity) (limit int, now capacity) {
	wanted, rest := cfg.Limits.Connections, reserved(cfg)
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		log.Warn("the limit of open files is not known", "err", err)
		return wanted, said
	}
	can := connections(uint64(files.Cur), rest) // the type of Cur differs between systems
	now = capacity{wanted, can}
	switch {
	case wanted <= can:
		return wanted, now
	case now == said:
	case wanted == config.Default().Limits.Connections: // a bound that nobody asked for, not a wish
		log.Info("as many connections as the limit of open files is enough for", "connections", can, "open_files", files.Cur)
	default:
		log.Warn("fewer connections than configured: fewer files may be open", "connections", can, "configured", wanted, "open_files", files.Cur,
			"hint", fmt.Sprintf("LimitNOFILE=%d in the unit file, ulimit -n %[1]d, or less in limits.connections", perConnection*uint64(wanted)+rest))
	}
	return can, now
}

// A capacity is how many connections somebody wants, and how many the process can
// hold.
type capacity struct{ wanted, can int }

// connections is how many a process with so many descriptors can hold, when some are
// for something else.
func connections(files, reserved uint64) int {
	const most = 1 << 30
	if files <= reserved+perConnection {
		return 1
	}
	return int(min((files-reserved)/perConnection, most))
}
