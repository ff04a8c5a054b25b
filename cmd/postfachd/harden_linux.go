package main

import (
	"log/slog"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// harden gives up what a server never needs: to gain rights by running another
// program, and to leave its memory behind in a core dump. It does what it can,
// and logs what is really in force, as the kernel says.
func harden(log *slog.Logger) {
	// Refused where C code has threads of its own; the unit file does it, too.
	syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Warn("confinement is not known", "err", err)
		return
	}
	var values []any
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "Uid", "CapEff", "NoNewPrivs", "Seccomp":
			values = append(values, strings.ToLower(name), strings.Fields(value)[0])
		}
	}
	log.Info("confinement", values...)
}
