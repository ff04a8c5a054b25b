package privilege

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// DropCapabilities gives up all capabilities of the process, on all threads and
// for good: those in force, those that it could take back, and those that it
// would hand on to programs that it runs. Without any it does nothing.
//
// Every process may do this. The package psx reaches all threads, whether there
// is C code in the program or not.
func DropCapabilities() error {
	if none, err := withoutCapabilities(); none || err != nil {
		return err
	}
	header, empty := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
	// Ambient capabilities are always inheritable and permitted: the kernel takes
	// them away, too.
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&empty)), 0)
	if errno != 0 {
		return os.NewSyscallError("capset", errno)
	}
	none, err := withoutCapabilities()
	if err == nil && !none {
		err = errors.New("the system says that capabilities are gone, and they are not")
	}
	return err
}

// withoutCapabilities asks about the thread that runs now. The bounding set does
// not count: it gives nothing to a process that may gain no privileges.
func withoutCapabilities() (bool, error) {
	header, have := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
	if err := unix.Capget(&header, &have[0]); err != nil {
		return false, os.NewSyscallError("capget", err)
	}
	return have == [2]unix.CapUserData{}, nil
}
