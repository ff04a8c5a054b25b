//go:build linux || freebsd || netbsd || openbsd || dragonfly

package vfs

import "golang.org/x/sys/unix"

func fsync(fd int) error { return unix.Fsync(fd) }
