package maildroptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postfach/maildrop"
	"postfach/pop3"
)

// maxOperations ends a loop over the n-th failure that finds no end.
const maxOperations = 10_000

func hasFaults(s Subject) bool { return s.Faults != nil }
func hasCrash(s Subject) bool  { return s.Faults != nil && s.Crash != nil }

// faults make the n-th operation below the store fail, for n = 1, 2, 3 … until
// a run meets no fault, once and with a disk that stays dead. After each the
// maildrop is opened without faults: P3-UPD-02, P3-UPD-03, P3-LCK-03.
func faults() []Case {
	var cases []Case
	for _, a := range actions() {
		cases = append(cases, Case{Name: "Faults" + a.name, Needs: hasFaults, Check: func(fresh func() Subject) error {
			for _, dead := range []bool{false, true} {
				if err := everyFault(fresh, a, dead); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	return cases
}

func everyFault(fresh func() Subject, a action, dead bool) error {
	for n := 1; n < maxOperations; n++ {
		s := fresh()
		fired, err := a.run(s, n, dead, nil)
		if err != nil {
			return within(err, "operation %d fails (dead disk: %v)", n, dead)
		}
		if !fired {
			return nil
		}
	}
	return errors.New("there was always one more operation to fail")
}

// crashes make the power fail at every operation, with several seeds: promises
// 2 and 3.
func crashes() []Case {
	var cases []Case
	for _, a := range actions() {
		cases = append(cases, Case{Name: "Crash" + a.name, Needs: hasCrash, Check: func(fresh func() Subject) error {
			for seed := range uint64(5) {
				if err := everyCrash(fresh, a, seed); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	return cases
}

func everyCrash(fresh func() Subject, a action, seed uint64) error {
	for n := 1; n < maxOperations; n++ {
		s := fresh()
		fired, err := a.run(s, n, true, func() Subject { return s.Crash(seed) })
		if err != nil {
			return within(err, "power failure at operation %d (seed %d)", n, seed)
		}
		if !fired { // it came just after the last operation
			return nil
		}
	}
	return errors.New("there was always one more operation to fail")
}

// A trial is one run of an action in which one operation fails.
type trial struct {
	Subject
	n     int
	dead  bool
	fired bool
}

// begin lets operations fail from here on.
func (t *trial) begin() { t.Faults.Arm(t.n, t.dead) }

// heal ends that.
func (t *trial) heal() {
	t.fired = t.fired || t.Faults.Fired()
	t.Faults.Arm(0, false)
}

// An action is something that a store does while operations fail. act begins
// the faults, and reports what was promised meanwhile.
type action struct {
	name string
	act  func(t *trial, before view) (promised, error)
}

func actions() []action {
	update := func(first, step int) func(*trial, view) (promised, error) {
		return func(t *trial, before view) (promised, error) { return t.update(before, first, step) }
	}
	return []action{
		{"Deliver", (*trial).deliver},
		{"Open", (*trial).open},
		{"Content", (*trial).content},
		{"UpdateEven", update(0, 2)},
		{"UpdateOdd", update(1, 2)},
		{"UpdateThird", update(2, 3)},
		{"UpdateAll", update(0, 1)},
	}
}

// run fills a maildrop, does the action with the n-th operation failing, and
// checks what is there after. crash is nil for no power failure.
func (a action) run(s Subject, n int, dead bool, crash func() Subject) (fired bool, err error) {
	if _, err := deliver(s, mail(1), mail(2)); err != nil {
		return false, err
	}
	if s.Fill != nil {
		if err := s.Fill(); err != nil {
			return false, within(err, "fill")
		}
	}
	if _, err := deliver(s, mail(3), mail(4)); err != nil {
		return false, err
	}
	before, err := look(s)
	if err != nil {
		return false, within(err, "before the fault")
	}
	t := &trial{Subject: s, n: n, dead: dead}
	did, err := a.act(t, before)
	t.heal()
	if err != nil {
		return false, err
	}
	if crash != nil {
		s = crash()
	}
	return t.fired, did.check(s, before, dead)
}

func (t *trial) deliver(view) (did promised, err error) {
	t.begin()
	for _, text := range []string{mail(100), mail(101)} {
		wire := onWire([]byte(text))
		id, err := t.Deliverer.Deliver(context.Background(), User, strings.NewReader(text))
		if err != nil {
			did.refused = append(did.refused, wire)
			continue
		}
		did.delivered = append(did.delivered, message{id, wire})
	}
	return did, nil
}

func (t *trial) open(before view) (did promised, err error) {
	t.begin()
	d, err := t.Store.Open(context.Background(), User)
	t.heal()
	if err != nil {
		return did, nil
	}
	var ids []pop3.UniqueID
	for _, m := range d.Messages() {
		ids = append(ids, m.ID)
	}
	if !slices.Equal(ids, before.ids()) {
		d.Close()
		return did, fmt.Errorf("a session lists %q, want %q", ids, before.ids())
	}
	return did, errors.Join(wholeOrError(d, before), d.Close())
}

func (t *trial) content(before view) (did promised, err error) {
	d, err := t.Store.Open(context.Background(), User)
	if err != nil {
		return did, err
	}
	t.begin()
	err = wholeOrError(d, before)
	t.heal()
	return did, errors.Join(err, d.Close())
}

// wholeOrError reads every message: what ends without an error must be whole,
// with the size that was announced.
func wholeOrError(d maildrop.Maildrop, want view) error {
	for i, m := range d.Messages() {
		octets, err := fetch(d, m.ID)
		if err == nil && (onWire(octets) != want[i].wire || wireSize(octets) != m.Size) {
			return fmt.Errorf("message %q is not whole, but nobody says so", m.ID)
		}
	}
	return nil
}

// update removes every step-th message.
func (t *trial) update(before view, first, step int) (did promised, err error) {
	for i := first; i < len(before); i += step {
		did.marked = append(did.marked, before[i].id)
	}
	d, err := t.Store.Open(context.Background(), User)
	if err != nil {
		return did, err
	}
	t.begin()
	err = d.Update(context.Background(), did.marked)
	d.Close() // the lock must be free after it, whatever it returns
	t.heal()
	if err == nil {
		return did, nil
	}
	var failed *maildrop.UpdateError
	if !errors.As(err, &failed) || len(failed.Remaining) == 0 || failed.Err == nil {
		return did, fmt.Errorf("update: got %w, want an *UpdateError that lists what remains", err)
	}
	for _, id := range failed.Remaining {
		if !slices.Contains(did.marked, id) {
			return did, fmt.Errorf("update: %q remains, but was not marked", id)
		}
	}
	did.remaining = failed.Remaining
	return did, nil
}
