//go:build race

package main

// underRace: the race detector needs memory of its own, several times that of the
// program.
const underRace = true
