//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

// openBelow opens a file in a folder in another one.
func openBelow(dir int, name string) (int, error) { return openStepwise(dir, name) }
