package timers

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slacks returns the slack of some threads, among them some that are new.
func slacks(t *testing.T) map[time.Duration]int {
	t.Helper()
	found := make(map[time.Duration]int)
	var mu sync.Mutex
	var threads, all sync.WaitGroup
	const several = 8
	threads.Add(several)
	for range several {
		all.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends
			slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
			if err != nil {
				t.Error(err)
			}
			threads.Done()
			threads.Wait() // each has its own
			mu.Lock()
			defer mu.Unlock()
			found[time.Duration(slack)]++
		})
	}
	all.Wait()
	return found
}

// Timers are late in all threads and those to come, or, with cgo, in none; and as they were
// before after that.
func TestLate(t *testing.T) {
	before := slacks(t)
	restore := Late(Slack)
	during := slacks(t)
	restore()
	after := slacks(t)
	if len(before) != 1 || before[Slack] > 0 {
		t.Fatalf("before: %v", before)
	}
	if len(during) != 1 || during[Slack] == 0 && !usesC {
		t.Errorf("late: %v", during)
	}
	if len(after) != 1 || after[Slack] > 0 {
		t.Errorf("after: %v", after)
	}
}
