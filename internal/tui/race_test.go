//go:build race

package tui

// slower is how often as long the race detector makes all take, and more: what a person
// waits for has no detector in it.
const slower = 10
