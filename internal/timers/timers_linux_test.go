package timers

import (
	"maps"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const several = 8

// slacks returns the slack of some threads, among them some that are new.
func slacks(t *testing.T) map[time.Duration]int {
	t.Helper()
	found := make(map[time.Duration]int)
	var mu sync.Mutex
	var threads, all sync.WaitGroup
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
	const odd = 1_234_567 * time.Nanosecond // nobody has it by chance
	restore := Late(odd)
	during := slacks(t)
	restore()
	after := slacks(t)
	if len(before) != 1 {
		t.Fatalf("before: %v", before)
	}
	want := map[time.Duration]int{odd: several}
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, unix.PR_GET_TIMERSLACK, 0, 0); errno == syscall.ENOTSUP {
		want = before
	}
	if !maps.Equal(during, want) {
		t.Errorf("late: %v, want %v", during, want)
	}
	if !maps.Equal(after, before) {
		t.Errorf("after: %v, before: %v", after, before)
	}
}
