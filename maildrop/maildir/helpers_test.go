package maildir

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"postfach/internal/vfs"
)

// A stalledDisk has a folder that answers when it is mended.
type stalledDisk struct {
	vfs.Folder
	mended  chan struct{}
	waiting atomic.Int32
}

func (d *stalledDisk) Lstat(string) (vfs.Info, error) {
	d.waiting.Add(1)
	<-d.mended
	return vfs.Info{}, nil
}

// Promise 17: a call of the Store may hold one thread on a disk that does not
// answer. What helps it is bounded for all calls together, and comes back.
func TestStalledDiskHoldsFewHelpers(t *testing.T) {
	const opens = 50
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	places := make([]place, manyPlaces+5)
	for i := range places {
		places[i] = place{newFolder, fmt.Sprint(i)}
	}
	synctest.Test(t, func(t *testing.T) {
		s := new(Store)
		for range 2 {
			disk := &stalledDisk{mended: make(chan struct{})}
			var all sync.WaitGroup
			for range opens {
				all.Go(func() {
					d := &drop{store: s, open: [2]vfs.Folder{disk}}
					d.lstatAll(context.Background(), places, func(int, vfs.Info, error) {})
				})
			}
			synctest.Wait()
			if n := disk.waiting.Load(); n != opens+mostHelpers {
				t.Errorf("%d goroutines wait for the disk, want %d", n, opens+mostHelpers)
			}
			close(disk.mended)
			all.Wait()
			if n := disk.waiting.Load(); int(n) != opens*len(places) {
				t.Errorf("%d files were examined, want %d", n, opens*len(places))
			}
		}
	})
}

// Promise 18: a panic in a goroutine that helps is one of the session, which can recover it,
// and not the end of the process; and nobody works on for a session that has ended.
func TestPanicInAHelperIsTheCallers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	s := new(Store)
	var arrived, busy atomic.Int32
	two := make(chan struct{})
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "a mistake") {
			t.Errorf("recovered: %v", p)
		}
		if b, h := busy.Load(), s.helpers.busy.Load(); b != 0 || h != 0 {
			t.Errorf("%d still work, and %d helpers are taken", b, h)
		}
	}()
	s.share(t.Context(), 10*portion, 1, 1, func() func(int) {
		return func(int) {
			busy.Add(1)
			defer busy.Add(-1)
			if arrived.Add(1) == 2 { // one of them is a helper
				close(two)
			}
			<-two
			panic("a mistake")
		}
	})
}
