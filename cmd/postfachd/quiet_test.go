package main

import (
	"runtime"
	"testing"
	"time"
)

func TestMemoryIsGivenBackWhenItIsQuiet(t *testing.T) {
	const mib = 1 << 20
	given, before := heap{allocated: 100 * mib}, heap{allocated: 500 * mib}
	for name, c := range map[string]struct {
		now, given heap
		want       bool
	}{
		"allocated":               {heap{500 * mib, 90 * mib, 0}, given, true},
		"free":                    {heap{500 * mib, 50 * mib, 20 * mib}, before, true},
		"in a rush":               {heap{502 * mib, 90 * mib, 0}, given, false},
		"little":                  {heap{500 * mib, 12 * mib, mib}, before, false},
		"little, for so large it": {heap{500 * mib, 510 * mib, 10 * mib}, before, false},
	} {
		if got := c.now.wasteful(before, c.given); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The names of the figures are Go's: all of them are there.
func TestHeapIsKnown(t *testing.T) {
	runtime.GC()
	if h := readHeap(); h.allocated == 0 || h.used == 0 {
		t.Errorf("%+v", h)
	}
}

func TestGarbageOfARushIsGivenBack(t *testing.T) {
	ticks := make(chan time.Time)
	go giveBackAt(t.Context(), ticks)
	ticks <- time.Time{} // it has looked what there was before
	runtime.GC()
	before := readHeap().used
	// In a goroutine of its own, for nothing on this one's stack may keep it alive.
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range rush {
			rush[i] = make([]byte, 64<<10)
		}
		runtime.GC() // Go thinks that all of it is alive
		clear(rush[:])
	}()
	<-done
	for range 3 { // a rush, quiet, and the end of the look at that
		ticks <- time.Time{}
	}
	if now := readHeap(); now.used > before+32<<20 {
		t.Errorf("%d octets before, then %+v", before, now)
	}
}

// What a rush allocates: 62 MiB, where the compiler cannot see that it is dropped.
var rush [1000][]byte
