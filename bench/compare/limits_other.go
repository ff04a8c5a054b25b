//go:build !linux

package main

// raiseLimits does nothing: servers are measured on Linux only.
func raiseLimits() string { return "servers can be measured on Linux only" }
