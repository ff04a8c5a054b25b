package confine

import (
	"errors"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"postfach/internal/hint"
	"postfach/internal/privilege"
)

// Harden gives up what no server needs: capabilities, to gain rights by running
// another program, to leave its memory behind in a core dump, and to let other
// processes of the same user look into it. It does what it can; the error says
// what it could not.
func Harden() error {
	err := errors.Join(privilege.DropCapabilities(), noNewPrivileges(), noCore(), notDumpable())
	return hint.Add(err, "NoNewPrivileges=true and LimitCORE=0 in the unit file, and SystemCallFilter=capset prctl")
}

func noCore() error {
	limit := unix.Rlimit{Cur: 1}
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err == nil && limit == (unix.Rlimit{}) {
		return nil // and the unit file forbids to set limits
	}
	return os.NewSyscallError("setrlimit", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
}

// notDumpable keeps ptrace and /proc/PID/mem away. The process has one such mark
// for all its threads.
func notDumpable() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
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
	return filter([]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}})
}
