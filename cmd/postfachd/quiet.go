package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When a rush is over: when in a second less was allocated than a few sessions need, and
// since memory was last given back more than is worth the work.
const (
	quietEvery  = time.Second
	quietOctets = 1 << 20
	worthwhile  = 4 << 20
)

// giveMemoryBack returns to the system what a rush of logins has taken, when it is over.
// Go would keep it for minutes: half of what idle sessions seem to need is that.
func giveMemoryBack(ctx context.Context) {
	ticker := time.NewTicker(quietEvery)
	defer ticker.Stop()
	giveBackAt(ctx, ticker.C)
}

// giveBackAt looks at each tick.
func giveBackAt(ctx context.Context, ticks <-chan time.Time) {
	given := readHeap()
	for before := given; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		now := readHeap()
		if now.wasteful(before, given) {
			debug.FreeOSMemory()
			now = readHeap()
			given = now
		}
		before = now
	}
}

// A heap is what Go's heap has, in octets.
type heap struct {
	allocated uint64 // since the start
	used      uint64 // by what is alive, and by garbage
	free      uint64 // and not returned
}

func readHeap() heap {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return heap{samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64()}
}

// wasteful reports whether it was quiet since before, and there may be much that nobody
// needs: more than an eighth of what is used. What was allocated since memory was given back
// last counts whole. How much of it is garbage only a collection can say, and Go's own count
// of what is alive is as old as its last collection, which may have been in the midst of it.
func (h heap) wasteful(before, given heap) bool {
	waste := h.free + h.allocated - given.allocated
	return h.allocated-before.allocated < quietOctets && waste > max(worthwhile, h.used/8)
}
