package explore

import "time"

// defaultIdle is how long nobody may look before the maildrop is let go: long
// enough to read a message, short enough for the owner's mail program, which
// cannot come in meanwhile.
const defaultIdle = 2 * time.Minute

// idle knows when somebody looked. The Explorer's mu guards it.
type idle struct {
	looked time.Time
	active int // a person's requests that run or wait
}

func (i *idle) look() { i.looked = time.Now() }

// deadline is when the maildrop is let go; zero: never. after is Options.Idle.
func (i *idle) deadline(after time.Duration) time.Time {
	switch {
	case after < 0:
		return time.Time{}
	case after == 0:
		after = defaultIdle
	}
	return i.looked.Add(after)
}

// over reports whether nobody looks any more.
func (i *idle) over(after time.Duration) bool {
	d := i.deadline(after)
	return i.active == 0 && !d.IsZero() && !time.Now().Before(d)
}

// Touch says that somebody looks: the idle time begins anew.
func (e *Explorer) Touch() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle.look()
}

// begin and finish are around a person's request.
func (e *Explorer) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle.look()
	e.idle.active++
}

func (e *Explorer) finish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle.look()
	e.idle.active--
	e.poke()
}

// poke makes run look at what there is to do.
func (e *Explorer) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
