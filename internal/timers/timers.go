// Package timers lets the timers of a process be late.
package timers

import "time"

// Slack is by how much timers are late where nobody waits for a moment: deadlines of
// connections are seconds and minutes.
//
// It saves a sixth of what a login costs where one comes after the other. Go has a thread
// that looks after the others (sysmon). While there is something to do it sleeps for 20 µs
// at a time, and to wake it so often costs more than what it does. When timers may be late
// the kernel wakes it later. The price: what it does is late, too. A thread that waits for
// a disk keeps its processor from other goroutines for up to so much longer.
const Slack = time.Millisecond

// Late lets all timers of this process, and of programs that it starts, be late by so much.
// Restore ends that. Where the system or the way in which the program was built (with cgo)
// does not let it, it does nothing.
func Late(slack time.Duration) (restore func()) { return late(slack) }
