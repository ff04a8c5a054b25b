package explore

import "time"

// A State is whether the maildrop is ours.
type State uint8

// The states.
const (
	Away       State = iota // not connected; the owner's mail program can come in
	Connecting              // on the way
	Held                    // open, and locked against others
	Committing              // deleting
)

// A Status is what a person must know all the time.
type Status struct {
	State        State
	Account      Account
	TLS          bool
	Messages     int
	Octets       int64
	Known        int // headers read
	Marked       int
	MarkedOctets int64
	// ReleaseAt is when the maildrop is let go unless somebody looks. Zero:
	// never, or Away.
	ReleaseAt time.Time
	// Notice is the last thing that happened without being asked for: let go,
	// connection lost, marked messages gone. Empty when a person has seen it
	// (Seen).
	Notice string
	// Busy says what is going on, for example "reading headers"; often empty.
	Busy string
}

// Status returns where things stand.
func (e *Explorer) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{
		State: e.state, Account: e.a, TLS: e.server.TLS != nil,
		Messages: len(e.list.rows), Octets: e.list.octets, Known: e.list.known,
		Marked: e.list.marked, MarkedOctets: e.list.markedOctets,
		Notice: e.notices.String(), Busy: e.busy,
	}
	if e.state == Held && e.idle.active == 0 {
		s.ReleaseAt = e.idle.deadline(e.o.Idle)
	}
	return s
}

// Seen clears Status.Notice.
func (e *Explorer) Seen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.notices) > 0 {
		e.notices = nil
		e.bell.ring()
	}
}

// is changes where things stand, and tells.
func (e *Explorer) is(s State, busy string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state, e.busy = s, busy
	e.bell.ring()
}
