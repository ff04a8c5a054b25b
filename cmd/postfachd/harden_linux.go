package main

import (
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// harden gives up what a server never needs: to gain rights by running another
// program, and to leave its memory behind in a core dump. It does what it can,
// and logs what is really in force, as the kernel says.
func harden(log *slog.Logger) {
	if err := errors.Join(noNewPrivileges(), noCore()); err != nil {
		log.Warn("not as confined as it could be", "err", err,
			"hint", "NoNewPrivileges=true and LimitCORE=0 in the unit file, or a postfachd that was built with CGO_ENABLED=0")
	}
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

func noCore() error {
	limit := unix.Rlimit{Cur: 1}
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err == nil && limit == (unix.Rlimit{}) {
		return nil // and the unit file forbids to set limits
	}
	return os.NewSyscallError("setrlimit", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
}

// noNewPrivileges holds for all threads. Go refuses to speak to all of them
// where C code may have some of its own (net and os/user bring it along): there
// the kernel does it, which hands on no_new_privs together with a filter of
// system calls. This filter lets all of them pass.
func noNewPrivileges() error {
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil && set == 1 {
		return nil // since before the first thread
	}
	_, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno == 0 {
		return nil
	}
	if errno != syscall.ENOTSUP {
		return os.NewSyscallError("prctl", errno)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	pass := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
	program := unix.SockFprog{Len: uint16(len(pass)), Filter: &pass[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	switch {
	case errno != 0:
		return os.NewSyscallError("seccomp", errno)
	case thread != 0:
		return errors.New("seccomp: a thread cannot follow")
	}
	return nil
}
