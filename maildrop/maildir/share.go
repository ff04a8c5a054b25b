package maildir

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// From how many files on several goroutines work on them: for fewer it takes longer
// to start them, or nobody notices. To count a file takes longer than to examine it.
const (
	manyPlaces   = 1000
	manyCounts   = 100
	manyRemovals = 2000
)

// hands is how many of them work together at least where they wait for the disk.
const hands = 4

// mostHelpers is how many goroutines work on files beside those that call Open and
// Update, in the whole Store: each may hold a thread for as long as a disk does not
// answer.
const mostHelpers = 16

// portion is how many files a goroutine takes at a time.
const portion = 64

// helpers are those of them that are busy.
type helpers struct{ busy atomic.Int32 }

// hire takes one, which done gives back. false: there is none.
func (h *helpers) hire() bool {
	if h.busy.Add(1) <= mostHelpers {
		return true
	}
	h.busy.Add(-1)
	return false
}

func (h *helpers) done() { h.busy.Add(-1) }

// share does some work for each number below n, with what help there is, from many
// on: one goroutine for each processor, and at least so many. begin returns the work of
// one goroutine. It stops early when ctx ends. A panic of a helper is one of the caller:
// nobody else would recover it, and it would end the process.
func (s *Store) share(ctx context.Context, n, many, least int, begin func() (work func(i int))) {
	var next atomic.Int64
	run := func() {
		work := begin()
		for {
			to := int(next.Add(portion))
			for i := to - portion; i < min(to, n); i++ {
				if ctx.Err() != nil {
					return
				}
				work(i)
			}
			if to >= n {
				return
			}
		}
	}
	helpers := 0
	if n >= many {
		helpers = min(max(runtime.GOMAXPROCS(0), least)-1, (n-1)/portion)
	}
	s.together(helpers, run, run, func() { next.Store(int64(n)) })
}

// together runs something here, and help in up to so many helpers. When one of them
// panics, stop is called: nobody needs the rest.
func (s *Store) together(helpers int, run, help, stop func()) {
	var wg sync.WaitGroup
	var panicked atomic.Pointer[string]
	for range helpers {
		if !s.helpers.hire() {
			break
		}
		wg.Go(func() {
			defer s.helpers.done()
			defer func() {
				if p := recover(); p != nil {
					text := fmt.Sprintf("%v, in a helper:\n%s", p, debug.Stack())
					panicked.Store(&text)
					stop()
				}
			}()
			help()
		})
	}
	defer func() {
		wg.Wait() // also after a panic here: they work with what the caller has open
		if text := panicked.Load(); text != nil {
			panic(*text)
		}
	}()
	run()
}
