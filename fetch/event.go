package fetch

import "postfach/pop3"

// A Kind says what happened.
type Kind string

// What can happen in a run.
const (
	Planned     Kind = "planned"      // Messages with Octets will be asked for
	Fetched     Kind = "fetched"      // a message is durable in the target
	Known       Kind = "known"        // it came, and the target had it
	Failed      Kind = "failed"       // Err says why; it stays on the server
	SizeDiffers Kind = "size-differs" // Octets came, Announced was said: a warning
	Deleted     Kind = "deleted"      // marked: it goes at QUIT
	NotDeleted  Kind = "not-deleted"  // the server refused to mark it
	Warning     Kind = "warning"      // Text says what
)

// An Event is something that happened in a run. Fields that do not belong to
// its Kind are zero.
type Event struct {
	Kind      Kind
	Number    int // in this session
	ID        pop3.UniqueID
	Messages  int
	Octets    int64
	Announced int64
	Text      string
	Err       error
}

// report passes on an event.
func (r *run) report(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(e)
	r.flush()
}

// tell is report while the lock is held.
func (r *run) tell(e Event) {
	if r.o.Report != nil {
		r.o.Report(e)
	}
}

// flush says that this is all for now, while the lock is held.
func (r *run) flush() {
	if r.o.Flush != nil {
		r.o.Flush()
	}
}

// progress passes on that octets have come.
func (r *run) progress(octets int) {
	if r.o.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.o.Progress(octets)
}
