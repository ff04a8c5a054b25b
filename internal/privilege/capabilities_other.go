//go:build !linux

package privilege

// DropCapabilities has nothing to give up here.
func DropCapabilities() error { return nil }
