//go:build !linux

package sockets

import "time"

// A Manager is systemd, which is on Linux only. Its methods do nothing.
type Manager struct{}

// FindManager finds none.
func FindManager() (*Manager, error) { return nil, nil }

func (*Manager) Ready(string)           {}
func (*Manager) Reloading()             {}
func (*Manager) Stopping(time.Duration) {}
func (*Manager) Alive()                 {}
func (*Manager) Pulse() time.Duration   { return 0 }
func (*Manager) Close() error           { return nil }
