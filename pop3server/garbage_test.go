// The race detector makes garbage of its own.
//go:build !race

package pop3server_test

import (
	"runtime"
	"testing"
)

// In the steady state there is no garbage: not for a command, not for a line of a
// listing, not for a buffer of a message.
func TestSteadyStateMakesNoGarbage(t *testing.T) {
	for _, test := range []struct {
		name, command    string
		messages, octets int
		most             float64 // allocations a command
	}{
		{"NOOP", "NOOP\r\n", 1, 0, 0},
		{"STAT", "STAT\r\n", 10, 0, 0},
		{"LIST 1", "LIST 1\r\n", 10, 0, 0},
		{"LIST of 1000", "LIST\r\n", 1000, 0, 3},
		{"UIDL of 1000", "UIDL\r\n", 1000, 0, 3},
		{"RETR of 4 KB", "RETR 1\r\n", 1, 4 << 10, 3},
		{"RETR of 10 MB", "RETR 1\r\n", 1, 10 << 20, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := newShelf(test.messages, test.octets)
			const few, more = 10, 110
			garbage := func(times int) float64 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				play(t, store, test.command, times)
				runtime.ReadMemStats(&after)
				return float64(after.Mallocs - before.Mallocs)
			}
			garbage(few)
			each := (garbage(more) - garbage(few)) / (more - few)
			if each > test.most+0.5 { // what runs beside it makes some, too
				t.Errorf("%.1f allocations, and %v are allowed", each, test.most)
			}
		})
	}
}
