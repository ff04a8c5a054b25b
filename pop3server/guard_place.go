package pop3server

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"postfach/maildrop"
)

// A place is one connection in the books of a Guard, whose lock guards all but
// the first two fields.
type place struct {
	conn net.Conn           // closed when the connection is evicted
	gone context.CancelFunc // wakes what the session waits for then

	address  *address      // nil: not known yet, or not counted
	user     string        // empty: not logged in
	evicted  string        // the limit that the connection has gone for; empty: none
	left     bool          // not in the books any more
	stranger *list.Element // in Guard.strangers; nil: logged in, or left
	neighbor *list.Element // in address.strangers, likewise
}

// An address has connections.
type address struct {
	network   netip.Prefix
	total     int
	strangers list.List // *place: not logged in, oldest first
}

// errEvicted ends a session whose place another connection has.
var errEvicted = &endError{endEvicted, nil}

// admit gives a new connection its place. When there are too many, the oldest
// that has not logged in goes. false: all have, so it is the new one.
func (g *Guard) admit(l *Limits, p *place) bool {
	g.mu.Lock()
	var out *place
	if g.total >= l.Connections {
		if out = g.evict(&g.strangers, limitAll); out == nil {
			p.left = true
			g.stats.Refused++
			g.mu.Unlock()
			return false
		}
	}
	g.total++
	p.stranger = g.strangers.PushBack(p)
	g.mu.Unlock()
	out.end()
	return true
}

// arrive says where an admitted connection comes from. When too many do, the
// oldest from there that has not logged in goes. false: all have, and the new
// one loses its place.
func (g *Guard) arrive(l *Limits, p *place, from netip.Addr) bool {
	network := networkOf(from)
	if !network.IsValid() || from.IsLoopback() {
		return true // a proxy, or webmail: they stand for many
	}
	g.mu.Lock()
	if p.left {
		g.mu.Unlock()
		return true // the session will notice
	}
	a := g.addresses[network]
	var out *place
	if a != nil && a.total >= l.ConnectionsPerAddress {
		if out = g.evict(&a.strangers, limitAddress); out == nil {
			g.remove(p)
			g.stats.Refused++
			g.mu.Unlock()
			return false
		}
		a = g.addresses[network] // the evicted one may have been the last
	}
	if a == nil {
		if g.addresses == nil {
			g.addresses = make(map[netip.Prefix]*address)
		}
		a = &address{network: network}
		g.addresses[network] = a
	}
	a.total++
	p.address = a
	p.neighbor = a.strangers.PushBack(p)
	g.mu.Unlock()
	out.end()
	return true
}

// enter counts a session as logged in, before it waits for its maildrop. The
// error is errEvicted, or maildrop.ErrLocked: so many sessions of one account
// cannot all have it.
func (g *Guard) enter(l *Limits, p *place, user string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case p.left:
		return errEvicted
	case g.users[user] >= l.SessionsPerUser:
		return fmt.Errorf("%d sessions of %q: %w", g.users[user], user, maildrop.ErrLocked)
	}
	if g.users == nil {
		g.users = make(map[string]int)
	}
	g.users[user]++
	g.loggedIn++
	p.user = user
	g.spare(p)
	return nil
}

// leaveUser takes enter back: the maildrop could not be opened. The connection
// has had its turn, so it is the first that goes when there are too many.
func (g *Guard) leaveUser(p *place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.logOut(p)
	p.stranger = g.strangers.PushFront(p)
	if p.address != nil {
		p.neighbor = p.address.strangers.PushFront(p)
	}
}

// leave is the end of a connection.
func (g *Guard) leave(p *place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(p)
}

// relieve evicts the oldest connection that has not logged in, because
// something else than its place is needed. false: there is none.
func (g *Guard) relieve() bool {
	g.mu.Lock()
	out := g.evict(&g.strangers, limitDescriptors)
	g.mu.Unlock()
	out.end()
	return out != nil
}

// evictedFor returns the limit that the connection has gone for; empty: none.
func (g *Guard) evictedFor(p *place) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return p.evicted
}

// evictions returns how many there were since the log told of them last, if it is
// time to do so again.
func (g *Guard) evictions() (times uint64, news bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if times = g.evictionsHeld; times == 0 || !due(&g.evictionsTold) {
		return 0, false
	}
	g.evictionsHeld = 0
	return times, true
}

// The limits that cost connections, as docs/limits.md calls them.
const (
	limitAll         = "connections"
	limitAddress     = "connections_per_address"
	limitDescriptors = "descriptors"
)

// evict takes the first of these out of the books. The caller ends it when the
// lock is free again. nil: there is none.
func (g *Guard) evict(strangers *list.List, limit string) *place {
	oldest := strangers.Front()
	if oldest == nil {
		return nil
	}
	p := oldest.Value.(*place)
	p.evicted = limit
	g.evictionsHeld++
	g.stats.Evicted++
	g.remove(p)
	return p
}

// end closes the connection and wakes its session.
func (p *place) end() {
	if p != nil {
		p.conn.Close()
		p.gone()
	}
}

func (g *Guard) remove(p *place) {
	if p.left {
		return
	}
	p.left = true
	g.total--
	g.spare(p)
	g.logOut(p)
	if a := p.address; a != nil {
		if a.total--; a.total == 0 {
			delete(g.addresses, a.network)
		}
	}
}

// spare takes a place from the lists of those that may be evicted.
func (g *Guard) spare(p *place) {
	if p.stranger != nil {
		g.strangers.Remove(p.stranger)
		p.stranger = nil
	}
	if p.neighbor != nil {
		p.address.strangers.Remove(p.neighbor)
		p.neighbor = nil
	}
}

func (g *Guard) logOut(p *place) {
	if p.user == "" {
		return
	}
	g.loggedIn--
	if g.users[p.user]--; g.users[p.user] == 0 {
		delete(g.users, p.user)
	}
	p.user = ""
}

// evictedOr is how a session ended: by itself, or because its place was needed.
func (s *session) evictedOr(end error) error {
	var over *endError
	if errors.As(end, &over) && over.reason == endQuit || s.srv.guard.evictedFor(s.place) == "" {
		return end
	}
	return errEvicted
}
