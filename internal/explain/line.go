package explain

import "time"

// A Line is a line that was said, with what it means.
type Line struct {
	Session string
	Time    time.Time
	Client  bool
	// Text is safe to show on any screen: what is no printable text is escaped
	// as in protocol logs. Empty for an Event.
	Text string
	Note Note
	// Folded counts lines of a message or a list that this one stands for; 0: it is a
	// line of its own. Text is empty then, and Note.Meaning says how many.
	Folded int
}
