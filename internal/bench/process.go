package bench

import "time"

// A Usage is what a server's processes have used so far: those that live, and those
// that have ended and been waited for.
type Usage struct {
	CPU       time.Duration // in steps of 10 ms
	Processes int
}

// A Memory is what a server's processes hold, in octets. Memory that several share is
// counted once: each has its part of it (Pss). Where that cannot be read, it is the
// resident memory of each (Rss), and Shared is counted again and again.
type Memory struct {
	Octets int64
	Method string // "pss" or "rss"
}
