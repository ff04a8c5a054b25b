package maildroptest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"postfach/pop3"
)

func hasClones(s Subject) bool { return s.Clone != nil && s.Watch != nil }

// clones lead random lives: deliveries, sessions, other programs, in any order.
// Before every operation of the store, and after every promise, the disk is
// copied, the power of the copies fails in several ways, and each is opened
// again: promises 2, 3 and 4.
//
// The crashes of faults.go begin each action on a disk where all is durable.
// Here what an earlier action left unsynced is still under way when the next
// one begins, and a second crash follows the first.
func clones() []Case {
	return []Case{{Name: "CrashClones", Needs: hasClones, Check: func(fresh func() Subject) error {
		for seed := range uint64(lives) {
			if err := live(fresh(), seed); err != nil {
				return within(err, "seed %d", seed)
			}
		}
		return nil
	}}}
}

// lives is how many, and of each: how many things happen in it, and in how many ways the power
// fails at each moment.
const (
	lives      = 16
	happenings = 8
	failures   = 5
)

// A life is one history of a maildrop.
type life struct {
	Subject
	*rand.Rand
	known    ledger
	mails    int    // made so far
	moment   int    // operations and promises so far
	changed  bool   // something has, since the last copy
	failed   error  // what the first bad copy had
	failedAt string // and where
}

// live returns the first copy in which a promise is broken.
func live(s Subject, seed uint64) error {
	l := &life{Subject: s, Rand: rand.New(rand.NewPCG(seed, 1)), known: ledger{}}
	l.Watch(l.before)
	defer l.Watch(nil)
	for n := 0; n < happenings && l.failed == nil; n++ {
		if err := l.happen(); err != nil && l.failed == nil {
			return within(err, "happening %d", n)
		}
	}
	return within(l.failed, "%s", l.failedAt)
}

// before is told of each operation. What only looks changes nothing on the
// disk: then the copy is the one that was looked at already.
func (l *life) before(op string) {
	l.copyNow("before " + op)
	switch op {
	case "lstat", "stat", "fstat", "readdir", "open", "read", "readat", "lock", "close":
	default:
		l.changed = true
	}
}

// promise notes what the store has said.
func (l *life) promise(note func(ledger)) {
	note(l.known)
	l.changed = true
	l.copyNow("after a promise")
}

// copyNow lets the power of some copies fail.
func (l *life) copyNow(when string) {
	l.moment++
	if !l.changed || l.failed != nil {
		return
	}
	l.changed = false
	crash := l.Clone()
	for n := range failures {
		seed := uint64(0) // all is lost that was not synced
		if n > 0 {
			seed = l.Uint64()
		}
		if err := l.known.holds(crash(seed), l.Uint64()); err != nil {
			l.failed = within(err, "power failure with seed %d", seed)
			l.failedAt = fmt.Sprintf("moment %d, %s", l.moment, when)
			return
		}
	}
}

// happen does one thing, chosen by chance.
func (l *life) happen() error {
	switch n := l.IntN(8); {
	case n < 2:
		return l.deliver()
	case n < 4:
		return l.disturb(false)
	}
	return l.session()
}

func (l *life) deliver() error {
	l.mails++
	text := mail(l.mails)
	m := message{wire: onWire([]byte(text))}
	l.promise(func(k ledger) { k[m.wire] = &record{fate: unsure} })
	v, err := deliver(l.Subject, text)
	if err != nil {
		return err
	}
	l.promise(func(k ledger) { *k[m.wire] = record{there, v[0].id} })
	return nil
}

// disturb lets another program work on the maildrop. What it does is durable.
func (l *life) disturb(inSession bool) error {
	if l.Disturb == nil {
		return nil
	}
	added, err := l.Disturb(l.Rand, inSession)
	if err != nil {
		return within(err, "disturb")
	}
	l.promise(func(k ledger) {
		for _, text := range added {
			k[onWire([]byte(text))] = &record{fate: there}
		}
	})
	return nil
}

// session is one session, in which other things may happen, too.
func (l *life) session() error {
	d, done, err := open(l.Subject)
	if err != nil {
		return err
	}
	defer done()
	v, err := read(d)
	if err != nil {
		return err
	}
	var wrong error
	l.promise(func(k ledger) { wrong = k.told(v) })
	if wrong != nil {
		return within(wrong, "a session, without any crash")
	}
	for l.IntN(3) > 0 {
		meanwhile := l.deliver
		if l.IntN(2) == 0 {
			meanwhile = func() error { return l.disturb(true) }
		}
		if err := meanwhile(); err != nil {
			return err
		}
	}
	if l.IntN(4) == 0 {
		return done() // a hang-up
	}
	var marked []pop3.UniqueID
	var wires []string
	share := 1 + l.IntN(3)
	for _, m := range v {
		if l.IntN(share) == 0 {
			marked, wires = append(marked, m.id), append(wires, m.wire)
		}
	}
	l.promise(func(k ledger) { k.all(wires, unsure) })
	if err := d.Update(context.Background(), marked); err != nil {
		return within(err, "update")
	}
	l.promise(func(k ledger) { k.all(wires, gone) })
	return done()
}

// A fate is what is promised of a message.
type fate int

const (
	there  fate = iota // and it must be
	unsure             // its delivery, or its removal, has begun and not ended
	gone               // for good
)

// A record is what is known of one message.
type record struct {
	fate
	id pop3.UniqueID // empty: nobody was told
}

// A ledger has all messages that there ever were, by what they look like on the
// wire: no two are the same.
type ledger map[string]*record

func (k ledger) all(wires []string, f fate) {
	for _, w := range wires {
		k[w].fate = f
	}
}

// told notes the unique-ids that somebody sees.
func (k ledger) told(v view) error {
	if err := k.fits(v); err != nil {
		return err
	}
	for _, m := range v {
		k[m.wire].id = m.id
	}
	return nil
}

// fits compares what a session sees with what was promised.
func (k ledger) fits(v view) error {
	seen := map[string]bool{}
	for _, m := range v {
		r := k[m.wire]
		switch {
		case r == nil:
			return fmt.Errorf("message %q is torn, or came from nowhere: %.60q", m.id, m.wire)
		case seen[m.wire]:
			return fmt.Errorf("message %q is there twice", m.id)
		case r.fate == gone:
			return fmt.Errorf("message %q is there and was said to be removed", m.id)
		case r.id != "" && r.id != m.id:
			return fmt.Errorf("message %q had the unique-id %q", m.id, r.id)
		}
		seen[m.wire] = true
		for wire, other := range k {
			if other.id == m.id && wire != m.wire {
				return fmt.Errorf("the unique-id %q was that of another message", m.id)
			}
		}
	}
	for wire, r := range k {
		if r.fate == there && !seen[wire] {
			return fmt.Errorf("message %q is gone: %.60q", r.id, wire)
		}
	}
	return nil
}

// holds checks what comes after a power failure: all that was promised, in the
// first session, after one more power failure, and, now and then, in the life
// that goes on. k stays as it is.
func (k ledger) holds(s Subject, seed uint64) error {
	after := ledger{}
	for wire, r := range k {
		now := *r
		after[wire] = &now
	}
	v, err := look(s)
	if err := errors.Join(err, after.told(v)); err != nil {
		return err
	}
	for wire, r := range after { // it is decided
		r.fate = gone
		if slices.ContainsFunc(v, func(m message) bool { return m.wire == wire }) {
			r.fate = there
		}
	}
	twice := s.Clone()(seed)
	if err := within(sees(twice, v), "after a second power failure (seed %d)", seed); err != nil {
		return err
	}
	if seed%4 > 0 { // it takes most of the time, and finds least
		return nil
	}
	return within(after.goOn(s, v), "later")
}

// goOn works with the maildrop as if nothing had been.
func (k ledger) goOn(s Subject, v view) error {
	if err := sees(s, v); err != nil {
		return within(err, "in the second session")
	}
	next, err := deliver(s, mail(-1))
	if err != nil {
		return err
	}
	k[next[0].wire] = &record{there, next[0].id}
	var marked []pop3.UniqueID
	for i, m := range v {
		if i%2 == 0 {
			marked = append(marked, m.id)
			k[m.wire].fate = gone
		}
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Update(context.Background(), marked), done()); err != nil {
		return err
	}
	v, err = look(s)
	return errors.Join(err, k.fits(v))
}
