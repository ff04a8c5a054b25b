//go:build !linux

package vfs

// Boot implements FS: it is not known here.
func (OS) Boot() string { return "" }
