package explore

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"postfach/pop3test"
)

// Many persons at once, some of whom change their minds: only what one of them
// marked is deleted, and what is said to be deleted is.
func TestManyAtOnceDeleteOnlyWhatIsMarked(t *testing.T) {
	const letters, persons, deeds = 60, 8, 40
	p := newPipeServer(t)
	for n := range letters {
		p.put(t, letter("Ada", fmt.Sprintf("letter %d", n+1)))
	}
	e := New(p.account(), Options{})
	connect(t, e)
	all := keys(e)
	var mu sync.Mutex // guards deleted
	deleted := 0
	var wg sync.WaitGroup
	for range persons {
		wg.Go(func() {
			for range deeds {
				ctx, cancel := context.WithCancel(t.Context())
				if rand.N(4) == 0 {
					go cancel()
				}
				k := all[rand.N(letters)]
				switch rand.N(9) {
				case 0:
					e.Connect(ctx, pop3test.Password)
				case 1:
					e.Release(ctx)
				case 2:
					e.Preview(ctx, k, 1)
				case 3:
					e.Save(ctx, k, io.Discard)
				case 4:
					if s, err := e.Open(ctx, k); err == nil {
						s.Close()
					}
				case 5:
					e.Page(Query{Sort: Sort(rand.N(5)), Search: "letter", Limit: 10})
				case 6:
					e.Unmark(k)
				case 7:
					e.Mark(all[rand.N(letters/2)*2]) // even places only
				case 8:
					var keys []Key
					for _, m := range e.Marked() {
						keys = append(keys, m.Key)
					}
					out, err := e.Commit(ctx, keys)
					if len(out.Unknown) > 0 {
						t.Errorf("%+v, %v", out, err)
					}
					mu.Lock()
					deleted += len(out.Deleted)
					mu.Unlock()
				}
				cancel()
			}
		})
	}
	wg.Go(func() { e.Log(0) })
	wg.Wait()
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(func() { e.Close() })
		closing.Go(func() { e.Preview(t.Context(), all[1], 0) })
	}
	closing.Wait()
	p.wg.Wait()
	left := stored(t, p)
	for n := 1; n < letters; n += 2 { // numbers from 1: the odd places
		if want := fmt.Sprint(n + 1); !slices.Contains(left, want) {
			t.Errorf("letter %s is lost", want)
		}
	}
	if letters-len(left) != deleted {
		t.Errorf("%d are said to be deleted, %d are gone", deleted, letters-len(left))
	}
}
