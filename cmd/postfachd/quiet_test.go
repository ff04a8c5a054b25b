package main

import (
	"runtime"
	"testing"
	"time"
)

func TestMemoryIsGivenBackWhenItIsQuiet(t *testing.T) {
	const mib = 1 << 20
	before := heap{allocated: 500 * mib}
	for name, c := range map[string]struct {
		now  heap
		want bool
	}{
		"garbage":                    {heap{500 * mib, 90 * mib, 50 * mib, 0}, true},
		"free":                       {heap{500 * mib, 50 * mib, 50 * mib, 20 * mib}, true},
		"in a rush":                  {heap{502 * mib, 90 * mib, 50 * mib, 0}, false},
		"little":                     {heap{500 * mib, 12 * mib, 10 * mib, mib}, false},
		"little, for so large it":    {heap{500 * mib, 510 * mib, 500 * mib, 10 * mib}, false},
		"alive is of an earlier day": {heap{500 * mib, 40 * mib, 50 * mib, 0}, false},
	} {
		if got := c.now.wasteful(before); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The names of the figures are Go's: all of them are there.
func TestHeapIsKnown(t *testing.T) {
	runtime.GC()
	if h := readHeap(); h.allocated == 0 || h.used == 0 || h.alive == 0 {
		t.Errorf("%+v", h)
	}
}

func TestGarbageOfARushIsGivenBack(t *testing.T) {
	go giveMemoryBack(t.Context())
	rush := make([][]byte, 1000)
	for i := range rush {
		rush[i] = make([]byte, 64<<10)
	}
	runtime.KeepAlive(rush)
	rush = nil
	late := time.After(30 * time.Second)
	for readHeap().used > 32<<20 {
		select {
		case <-late:
			t.Fatalf("%+v", readHeap())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
