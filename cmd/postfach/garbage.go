package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// littleMemory is what a command takes before it looks for garbage.
const littleMemory = 32 << 20

// collectLate lets a command end before any garbage is collected, if it needs little
// memory, as most do. From the first collection on all is as usual, and as the
// environment says in any case.
func collectLate() {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, set := os.LookupEnv(name); set {
			return
		}
	}
	percent := debug.SetGCPercent(-1)
	debug.SetMemoryLimit(littleMemory)
	runtime.AddCleanup(new([16]byte), func(percent int) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(math.MaxInt64)
	}, percent)
}
