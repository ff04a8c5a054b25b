package pop3server

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func testLimits() *Limits {
	l := Limits{}.withDefaults()
	return &l
}

func fail(t *testing.T, g *Guard, from netip.Addr, name string) {
	t.Helper()
	g.mu.Lock()
	g.begin()
	key := g.laneOf(networkOf(from), name)
	g.fail(testLimits(), key, false)
	g.mu.Unlock()
}

// To clear its own entry, an address has to make others that are worth as much:
// one failure from each of 200,000 others does not do.
func TestFloodDoesNotClearAnEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(Guard)
		from := netip.MustParseAddr("192.0.2.1")
		for range mostFailures {
			fail(t, g, from, "u")
		}
		const others = 200_000
		for i := range others {
			fail(t, g, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "u")
		}
		if wait := g.pause(g.laneOf(networkOf(from), "u")); wait != 15*time.Second {
			t.Errorf("after %d others the address waits %v", others, wait)
		}
		if n := used(&g.failures); n > failureSets*ways {
			t.Errorf("%d slots", n)
		}
	})
}

func used(t *table) (n int) {
	for _, s := range t.sets {
		if s != nil {
			n += ways
		}
	}
	return n
}

// One owner with many addresses does not make the Guard forget the others.
func TestOneOwnerDoesNotPushOutOthers(t *testing.T) {
	g := new(Guard)
	g.begin()
	home := networkOf(netip.MustParseAddr("192.0.2.1"))
	for i := range 100 {
		g.remember(home, fmt.Sprintf("u%d", i))
	}
	for i := range 100_000 {
		g.remember(networkOf(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})), "mallory")
	}
	known := 0
	for i := range 100 {
		if name := fmt.Sprintf("u%d", i); g.laneOf(home, name) != g.hash(hashed{network: home}) {
			known++
		}
	}
	if known < 98 { // two may share a set with mallory
		t.Errorf("%d of 100 are known", known)
	}
}

// Whatever comes, in whatever order, the books are empty at the end.
func TestGuardKeepsItsBooks(t *testing.T) {
	g := new(Guard)
	l := testLimits()
	l.Connections, l.ConnectionsPerAddress, l.SessionsPerUser = 20, 5, 3
	l.FailureDelay, l.AddressDelay = time.Microsecond, 8*time.Microsecond
	var all sync.WaitGroup
	for i := range 50 {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		all.Go(func() {
			for range 200 {
				live(g, l, random)
			}
		})
	}
	all.Wait()
	if g.total != 0 || g.loggedIn != 0 || len(g.addresses) != 0 || len(g.users) != 0 || len(g.lanes) != 0 || g.strangers.Len() != 0 {
		t.Errorf("%d connections, %d logged in, %d addresses, %d users, %d lanes, %d strangers are left",
			g.total, g.loggedIn, len(g.addresses), len(g.users), len(g.lanes), g.strangers.Len())
	}
	if g.stats.Evicted == 0 {
		t.Errorf("%+v: nothing happened", g.stats)
	}
}

// live is one connection, as a session would be.
func live(g *Guard, l *Limits, random *rand.Rand) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &place{conn: nopNetConn{}, gone: cancel}
	defer g.leave(p)
	from := netip.AddrFrom4([4]byte{192, 0, 2, byte(random.IntN(6))})
	if !g.admit(l, p) || !g.arrive(l, p, from) {
		return
	}
	name := fmt.Sprint(random.IntN(10))
	for range random.IntN(4) {
		t, err := g.try(ctx, l, networkOf(from), name)
		if err != nil {
			return
		}
		result := outcome(random.IntN(3))
		t.done(result, "x")
		if result != succeeded {
			continue
		}
		if err := g.enter(l, p, name); err != nil {
			return
		}
		for range 200 { // let others come
			runtime.Gosched()
		}
		if random.IntN(2) == 0 {
			return
		}
		g.leaveUser(p)
	}
}

type nopNetConn struct{ net.Conn }

func (nopNetConn) Close() error { return nil }
