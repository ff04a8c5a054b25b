package main

import "syscall"

// manyFiles are enough for 10,000 sessions, on both sides.
const manyFiles = 64_000

// raiseLimits lets this program and what it starts open many files, and returns how many.
func raiseLimits() (files int) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	more := syscall.Rlimit{Cur: max(l.Cur, manyFiles), Max: max(l.Max, manyFiles)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more); err == nil {
		l = more
	} else if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: l.Max, Max: l.Max}); err == nil {
		l.Cur = l.Max
	}
	return int(min(l.Cur, manyFiles))
}
