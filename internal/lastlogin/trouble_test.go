package lastlogin

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postfach/internal/vfs"
)

// A process without descriptors knows nothing about a file, and leaves it.
func TestWhatCannotBeOpenedIsLeft(t *testing.T) {
	dir := t.TempDir()
	r := NewRecorder(nil, dir, quiet())
	r.Note("anna", "phone", at(0))
	must(t, r.Close())
	for n := 1; ; n++ {
		fail := &vfs.Fail{FS: vfs.OS{}, Err: syscall.EMFILE}
		fail.Arm(n, false)
		r = NewRecorder(fail, dir, quiet())
		r.Note("anna", "", at(time.Hour))
		must(t, r.Close())
		if got := read(t, dir, "anna")["phone"]; got != at(0) {
			t.Fatalf("operation %d: %+v", n, read(t, dir, "anna"))
		}
		if !fail.Fired() {
			return
		}
	}
}

// The server writes while the tool forgets.
func TestServerAndToolLoseNothingOfEachOther(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 4, 25
	var all sync.WaitGroup
	for w := range writers {
		r := NewRecorder(nil, dir, quiet()) // as if in a process of its own
		all.Go(func() {
			for i := range each {
				r.Note("anna", strings.Repeat(string(rune('a'+w)), i+1), at(0))
			}
			must(t, r.Close())
		})
	}
	all.Wait()
	if got := len(read(t, dir, "anna")); got != writers*each {
		t.Errorf("%d logins, want %d", got, writers*each)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	must(t, Remove(nil, filepath.Join(dir, "missing"), "anna")) // nobody has logged in yet
}

// A clock that was ahead must not keep logins from being written down until it
// gets there again.
func TestClockThatIsSetBackStopsNothing(t *testing.T) {
	dir := t.TempDir()
	r := NewRecorder(nil, dir, quiet())
	for _, d := range []time.Duration{24 * time.Hour, 0, time.Second, 2 * time.Minute} {
		r.Note("anna", "", at(d))
	}
	must(t, r.Close())
	if got := read(t, dir, "anna"); !maps.Equal(got, map[string]Login{"": at(2 * time.Minute)}) {
		t.Errorf("got %+v", got)
	}
	r = NewRecorder(nil, dir, quiet())
	r.Note("anna", "", at(24*time.Hour))
	r.Note("anna", "", at(0))
	must(t, r.Close())
	if got := read(t, dir, "anna")[""]; got != at(0) {
		t.Errorf("got %+v", got)
	}
}
