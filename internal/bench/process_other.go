//go:build !linux

package bench

// ReadUsage is for Linux only.
func ReadUsage(int) (Usage, error) { return Usage{}, ErrNoProcesses }

// ReadMemory is for Linux only.
func ReadMemory(int) (Memory, error) { return Memory{}, ErrNoProcesses }
