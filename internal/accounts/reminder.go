package accounts

import "time"

// remindAfter is how often the same is logged again while people log in. A file that
// cannot be used was to keep some of them out, perhaps.
const remindAfter = time.Minute

// maxReminders is how many things are remembered: what can be wrong is of a few kinds.
const maxReminders = 100

// A Reminder says what is worth a line in the log: each thing at once, and again when a
// minute is over. Everybody can try to log in, as often as he likes.
type Reminder struct{ told *Memory[struct{}] }

// NewReminder returns a Reminder of nothing.
func NewReminder() Reminder { return Reminder{NewMemory[struct{}](maxReminders)} }

// Due reports whether something is to be logged now, which it then is.
func (r Reminder) Due(what string) bool {
	now := time.Now()
	_, told := r.told.Find(now, what)
	if !told {
		r.told.Add(struct{}{}, now, now.Add(remindAfter), what)
	}
	return !told
}
