package pop3server

import (
	"container/list"
	"context"
	"hash/maphash"
	"net/netip"
	"time"
)

// What a Guard knows about guessing, beside Limits. Each has its sentence in
// docs/limits.md.
const (
	// freeTries is how many tries from an address without failures are checked at
	// once: an office that begins its day. More wait.
	freeTries = 10
	// forgetFailure is how long it takes until one failure is forgotten.
	forgetFailure = time.Minute
	// mostFailures is how many are remembered: an attack weighs on its address for
	// so many minutes after its end.
	mostFailures = 8
	// forgetRepeat is how long a wrong password is known as such. A telephone that
	// polls with an old one is no guesser.
	forgetRepeat = 10 * time.Minute
	// forgetOwner is how long a good login is known.
	forgetOwner = 30 * 24 * time.Hour
)

// A lane is where tries wait for each other: those from one address, or those
// for the name of an owner who has logged in from there before.
type lane struct {
	running int
	queue   list.List // of chan struct{}, first come first: it may be their turn
}

// A try is one check of credentials, from its turn to its result.
type try struct {
	guard   *Guard
	limits  *Limits
	network netip.Prefix // zero: it waits for nobody
	name    string
	lane    uint64
}

// An outcome is what became of a try.
type outcome int

const (
	undecided outcome = iota // nobody learned whether it was right
	failed
	succeeded
)

// try waits until a try may be checked; it counts from then on, before its
// result is known. The error is that of ctx. Each call without one is followed
// by one of done.
//
// Tries from an address that has failed are checked one after the other, with a
// pause between them. Everybody's at that address wait together, but for the
// owners who are known there: they have lanes of their own. An owner elsewhere
// never waits.
func (g *Guard) try(ctx context.Context, l *Limits, network netip.Prefix, name string) (*try, error) {
	t := &try{guard: g, limits: l, network: network, name: name}
	if !network.IsValid() {
		return t, ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	t.lane = g.laneOf(network, name)
	in := g.lanes[t.lane]
	if in == nil {
		in = new(lane)
		g.lanes[t.lane] = in
	}
	mine := make(chan struct{}, 1)
	place := in.queue.PushBack(mine)
	defer func() {
		in.queue.Remove(place)
		g.next(t.lane)
	}()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var pause <-chan time.Time
		if in.queue.Front() == place && in.running < g.atOnce(t.lane) {
			wait := g.pause(t.lane)
			if wait <= 0 {
				in.running++
				return t, nil
			}
			pause = time.After(wait)
		}
		g.mu.Unlock()
		select {
		case <-mine:
		case <-pause:
		case <-ctx.Done():
		}
		g.mu.Lock()
	}
}

// A slowness is what keeps the tries of a lane apart. The zero one is nothing.
type slowness struct {
	failures int           // remembered
	pause    time.Duration // after each try
	waits    bool          // another try would have to wait now
}

// slow says how slow the lane of a name is now.
func (g *Guard) slow(l *Limits, network netip.Prefix, name string) (s slowness) {
	if !network.IsValid() {
		return s
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	key := g.laneOf(network, name)
	now := time.Since(g.begun)
	failed := g.failures.find(key, key, now)
	if failed == nil {
		return s
	}
	s.failures, s.pause = failed.slowness(l, now)
	in := g.lanes[key]
	s.waits = failed.next > now || in != nil && in.running > 0
	return s
}

// tellSlow reports whether it is time to say that logins from an address wait, and
// notes that it is said now.
func (g *Guard) tellSlow(network netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begin()
	key, now := g.hash(hashed{network: network}), time.Since(g.begun)
	if g.told.find(key, key, now) != nil {
		return false
	}
	g.told.take(key, key, now).until = now + burst
	return true
}

// slowness is how many failures a slot of failures stands for, and the pause
// after each try.
func (s *slot) slowness(l *Limits, now time.Duration) (failures int, pause time.Duration) {
	n := (s.until - now + forgetFailure - 1) / forgetFailure // 1 to mostFailures
	return int(n), min(l.FailureDelay<<(n-1), l.AddressDelay)
}

// next tells the first of a lane to look whether it is its turn, and closes a
// lane that nobody needs.
func (g *Guard) next(key uint64) {
	in := g.lanes[key]
	first := in.queue.Front()
	switch {
	case first != nil:
		select {
		case first.Value.(chan struct{}) <- struct{}{}:
		default: // it knows
		}
	case in.running == 0:
		delete(g.lanes, key)
	}
}

// laneOf finds the lane of a name that somebody at an address tries.
func (g *Guard) laneOf(network netip.Prefix, name string) uint64 {
	g.begin()
	now := time.Since(g.begun)
	if own := g.hash(hashed{network, name, ""}); g.owners.find(g.hash(hashed{name: name}), own, now) != nil {
		return own
	}
	return g.hash(hashed{network: network})
}

// atOnce is how many tries of a lane are checked at once.
func (g *Guard) atOnce(key uint64) int {
	if g.failures.find(key, key, time.Since(g.begun)) != nil {
		return 1
	}
	return freeTries
}

// pause is how long a lane rests now.
func (g *Guard) pause(key uint64) time.Duration {
	now := time.Since(g.begun)
	if s := g.failures.find(key, key, now); s != nil {
		return s.next - now
	}
	return 0
}

// done says what became of the try. secret is what was tried, if a second try of
// the same would be a mistake and not a guess; it is not kept.
func (t *try) done(result outcome, secret string) {
	g := t.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.network.IsValid() {
		return
	}
	g.lanes[t.lane].running--
	switch result {
	case failed:
		repeated := secret != "" && g.repeats.seen(g.hash(hashed{t.network, t.name, secret}), time.Since(g.begun), forgetRepeat)
		shared := g.hash(hashed{network: t.network})
		g.fail(t.limits, shared, repeated)
		if t.lane != shared {
			g.fail(t.limits, t.lane, repeated)
		}
	case succeeded:
		if t.name != "" {
			g.remember(t.network, t.name)
		}
	}
	g.next(t.lane)
}

// fail counts a failure in a lane. One that is repeated keeps the lane at its
// least pause, and never makes it longer.
func (g *Guard) fail(l *Limits, key uint64, repeated bool) {
	now := time.Since(g.begun)
	s := g.failures.take(key, key, now)
	if !repeated || s.until <= now {
		s.until = min(max(s.until, now)+forgetFailure, now+mostFailures*forgetFailure)
	}
	_, pause := s.slowness(l, now)
	s.next = now + pause
}

// remember notes where an owner has logged in. Their own failures there are
// forgotten, those of the address are not: else a guesser with an account would
// clear them.
func (g *Guard) remember(network netip.Prefix, name string) {
	now := time.Since(g.begun)
	own := g.hash(hashed{network, name, ""})
	// The set is that of the name, so that one owner with many addresses does not
	// push out the others.
	g.owners.take(g.hash(hashed{name: name}), own, now).until = now + forgetOwner
	if s := g.failures.find(own, own, now); s != nil {
		*s = slot{}
	}
}

// A hashed is what the tables remember things by.
type hashed struct {
	network      netip.Prefix
	name, secret string
}

// hash is a key for the tables. Nobody outside the process can compute it.
func (g *Guard) hash(h hashed) uint64 { return maphash.Comparable(g.seed, h) }

func (g *Guard) begin() {
	if g.begun.IsZero() {
		g.begun = time.Now()
		g.seed = maphash.MakeSeed()
		g.lanes = make(map[uint64]*lane)
		g.failures, g.repeats = newTable(failureSets), newTable(repeatSets)
		g.owners, g.told = newTable(ownerSets), newTable(toldSets)
	}
}
