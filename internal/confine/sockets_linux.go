package confine

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NoSockets gives up making sockets, of all kinds: those that Landlock does not see,
// such as Multipath TCP, UDP, and connections to sockets in the file system, among
// them. Those that are open stay, and go on to accept. It needs no_new_privs, which
// Harden sets.
func NoSockets() error {
	arch, ok := map[string]uint32{
		"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64, "riscv64": unix.AUDIT_ARCH_RISCV64,
	}[runtime.GOARCH]
	if !ok {
		return errors.New("system calls of this machine are not known")
	}
	const (
		load    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		atLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		result  = unix.BPF_RET | unix.BPF_K

		number, architecture = 0, 4 // in struct seccomp_data
		x32                  = 1 << 30
	)
	err := filter([]unix.SockFilter{
		{Code: load, K: architecture},
		{Code: equal, K: arch, Jf: 5}, // calls of 32-bit programs have other numbers
		{Code: load, K: number},
		{Code: atLeast, K: x32, Jt: 3},
		{Code: equal, K: unix.SYS_SOCKET, Jt: 2},
		{Code: equal, K: unix.SYS_IO_URING_SETUP, Jt: 1}, // which makes sockets, too
		{Code: result, K: unix.SECCOMP_RET_ALLOW},
		{Code: result, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)},
	})
	if err != nil {
		return err
	}
	if fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
		unix.Close(fd)
		return errors.New("the system says that sockets are given up, and they are not")
	}
	return nil
}

// filter puts a filter of system calls into force, for all threads.
func filter(instructions []unix.SockFilter) error {
	program := unix.SockFprog{Len: uint16(len(instructions)), Filter: &instructions[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	switch {
	case errno != 0:
		return os.NewSyscallError("seccomp", errno)
	case thread != 0:
		return errors.New("seccomp: a thread cannot follow")
	}
	return nil
}
