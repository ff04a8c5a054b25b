package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When a rush is over: when in a second less was allocated than a few sessions need, and
// there is garbage worth the work.
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
	for before := readHeap(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := readHeap()
		if now.wasteful(before) {
			debug.FreeOSMemory()
			now = readHeap()
		}
		before = now
	}
}

// A heap is what Go's heap has, in octets.
type heap struct {
	allocated uint64 // since the start
	used      uint64 // by what is alive, and by garbage
	alive     uint64 // when garbage was last collected
	free      uint64 // and not returned
}

func readHeap() heap {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return heap{samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64(), samples[3].Value.Uint64()}
}

// wasteful reports whether it is quiet and there is much that nobody needs: more than an
// eighth of the rest.
func (h heap) wasteful(before heap) bool {
	waste := h.free
	if h.used > h.alive {
		waste += h.used - h.alive
	}
	return h.allocated-before.allocated < quietOctets && waste > max(worthwhile, h.alive/8)
}
