package bench

import "testing"

// BenchmarkLogin has the server in the same process: about half of the time is the
// client's.
func BenchmarkLogin(b *testing.B) {
	c := canned(b, 1, 4000, nil)
	b.ReportAllocs()
	for b.Loop() {
		flawless(b, Load{Scenario: "login", Target: Target{Addr: c.Addr, User: "user%d"}, AtOnce: 8, Count: 2000})
	}
}
