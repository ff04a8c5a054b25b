package pop3server

import (
	"container/list"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// A Guard counts connections, failed logins and calls of Stores, for all Servers that
// share it: those of several listeners, and those before and after a reload. The zero
// value is ready. What it allows stands in each Server's Limits.
//
// What it remembers is bounded: by the connections that there are, and, beyond
// them, by tables of a fixed size.
type Guard struct {
	mu sync.Mutex // guards all that follows, but for calls

	total     int // connections
	loggedIn  int
	strangers list.List                 // *place: not logged in, oldest first
	addresses map[netip.Prefix]*address // those with connections that count
	users     map[string]int            // sessions

	begun time.Time // what the tables' times count from; zero: nothing is made yet
	seed  maphash.Seed
	lanes map[uint64]*lane // those with a try that runs or waits

	failures table // by lane: how much is remembered of them
	repeats  table // by address, name and password: failed just now
	owners   table // by address and name: logged in from there
	told     table // by address: the log has said that logins wait

	evictionsTold time.Time // when the log last said so
	evictionsHeld uint64    // since then
	headerTold    time.Time // likewise, of PROXY headers

	stats Stats // what has happened; what is now is counted when it is asked for

	calls calls // of Stores; not under mu
}

// Stats are a Guard's numbers.
type Stats struct {
	Connections int // now
	LoggedIn    int // of these
	Waiting     int // tries that wait for their turn now
	InStore     int // calls of the Store now
	ForStore    int // sessions that wait for their turn in it now

	Evicted      uint64 // connections that went for others, before they logged in
	Refused      uint64 // connections that were one too many
	FailedLogins uint64
	Panics       uint64 // each ended one session
}

// Stats returns how things are now, and what has happened so far.
func (g *Guard) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Connections, s.LoggedIn = g.total, g.loggedIn
	s.InStore, s.ForStore = g.calls.now()
	for _, l := range g.lanes {
		s.Waiting += l.queue.Len()
	}
	return s
}

// Stats returns the numbers of the Server's Guard, and so of all Servers that
// share it.
func (s *Server) Stats() Stats {
	if s.start() != nil {
		return Stats{}
	}
	return s.guard.Stats()
}

// count adds one to a number of g.stats.
func (g *Guard) count(n *uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*n++
}

// networkOf is what counts as one address: an IPv4 address, or the /64 that an
// IPv6 host has all of. The zero Prefix is no IP address, and counts as nobody.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
