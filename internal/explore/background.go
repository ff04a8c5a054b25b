package explore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// start lets run begin; mu is held.
func (e *Explorer) start() {
	if e.running != nil || e.life.Err() != nil {
		return
	}
	e.running = make(chan struct{})
	go e.run(e.life, e.running)
}

// run does what nobody asks for: it reads headers, comes back when it lost the
// connection over that, and lets go of the maildrop when nobody looks.
func (e *Explorer) run(ctx context.Context, ended chan<- struct{}) {
	defer close(ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
		for e.step(ctx) {
		}
		timer.Reset(e.untilNext())
	}
}

// A chore is what run does next.
type chore uint8

const (
	nothing chore = iota
	letGo
	comeBack
	readHeaders
)

// chore decides, and says whether there are headers to read.
func (e *Explorer) chore() chore {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.state == Held && e.idle.over(e.o.Idle):
		return letGo
	case e.state == Held && e.mayRead():
		return readHeaders
	case e.state == Away && e.comeback.wanted && e.idle.over(e.o.Idle):
		e.comeback.stop() // nobody looks
	case e.state == Away && e.comeback.wanted && !time.Now().Before(e.comeback.earliest):
		return comeBack
	}
	if e.state == Held && e.busy != "" {
		e.busy = ""
		e.bell.ring()
	}
	return nothing
}

// step does one thing, and reports whether there may be more.
func (e *Explorer) step(ctx context.Context) (more bool) {
	todo := e.chore()
	if todo == nothing || e.turn.take(ctx) != nil {
		return false
	}
	defer e.turn.give()
	if e.chore() != todo || ctx.Err() != nil { // a person was faster
		return ctx.Err() == nil
	}
	switch todo {
	case letGo:
		e.leave(ctx, e.letGoNotice())
	case comeBack:
		e.comeBack(ctx)
	case readHeaders:
		e.readBatch(ctx)
	}
	return ctx.Err() == nil
}

func (e *Explorer) letGoNotice() string {
	idle := e.o.Idle
	if idle == 0 {
		idle = defaultIdle
	}
	return fmt.Sprintf("let go of the maildrop after %s without anybody looking: nothing is deleted, marks are kept", plainDuration(idle))
}

// plainDuration spells whole minutes in words.
func plainDuration(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return count(int(d/time.Minute), "minute", "minutes")
	}
	return d.String()
}

// untilNext is when something happens by itself.
func (e *Explorer) untilNext() time.Duration {
	const never = time.Hour
	e.mu.Lock()
	defer e.mu.Unlock()
	next := never
	if d := e.idle.deadline(e.o.Idle); e.state == Held && e.idle.active == 0 && !d.IsZero() {
		next = time.Until(d)
	}
	if e.state == Away && e.comeback.wanted {
		next = time.Until(e.comeback.earliest)
	}
	return max(next, time.Millisecond)
}

// comebackPatience is how long opening the maildrop may take when nobody has
// asked for it: who asks for something meanwhile waits for its end.
const comebackPatience = 2 * time.Minute

var errSlow = errors.New("the server takes too long")

// comeBack opens the maildrop again, unasked.
func (e *Explorer) comeBack(ctx context.Context) {
	e.mu.Lock()
	e.comeback.tried()
	e.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, comebackPatience, errSlow)
	defer cancel()
	_, err := e.connect(ctx, "")
	if err == nil || e.life.Err() != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.comeback.failures >= maxFailures || errors.Is(err, ErrPassword) {
		e.comeback.stop()
		e.tellOfConnection("the maildrop could not be opened again: " + reason(err))
	}
}
