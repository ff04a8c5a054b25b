package timers

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func late(slack time.Duration) (restore func()) {
	before, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || !set(uintptr(slack)) {
		return func() {}
	}
	return func() { set(uintptr(before)) }
}

// set sets the slack of all threads, in nanoseconds; those to come inherit it.
func set(slack uintptr) bool {
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, unix.PR_SET_TIMERSLACK, slack, 0)
	return errno == 0
}
