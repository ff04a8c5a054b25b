package explain

import (
	"time"

	"postfach/pop3"
)

// A Line is a line that was said, with what it means.
type Line struct {
	Session string
	Time    time.Time
	Client  bool
	// Text is safe to show on any screen: what is no printable text is escaped
	// as in protocol logs. Empty for an Event.
	Text string
	Note Note
	// Folded counts lines of a message that stand for this one; 0: it is a
	// line of its own. Text is empty then, and Note.Meaning says how many.
	Folded int
}

// A Follower turns trace events into explained lines. One goroutine uses it, or
// the caller's lock is held.
type Follower struct {
	// Unfolded is how many lines of a message are shown before the rest folds
	// into one Line. 0: three; negative: all.
	Unfolded int

	lang Language
	emit func(Line)
}

// NewFollower returns a Follower that calls emit for each line that is complete.
func NewFollower(lang Language, emit func(Line)) *Follower {
	return &Follower{lang: lang, emit: emit}
}

// Event adds what crossed a connection. That TLS began is seen from STLS and its
// +OK.
func (f *Follower) Event(ev pop3.TraceEvent) {}

// Closed says that a session's connection has ended.
func (f *Follower) Closed(session string, byClient bool, at time.Time) {}
