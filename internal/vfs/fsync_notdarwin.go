//go:build linux || freebsd || netbsd || openbsd || dragonfly

package vfs

import "golang.org/x/sys/unix"

// fsync makes durable what was written.
func fsync(fd int) error { return unix.Fsync(fd) }
