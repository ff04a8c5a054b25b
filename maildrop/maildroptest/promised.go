package maildroptest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"postfach/pop3"
)

// promised is what a store said it has done.
type promised struct {
	delivered view            // acknowledged
	refused   []string        // deliveries that failed
	marked    []pop3.UniqueID // to be removed
	remaining []pop3.UniqueID // of these, what may be there
}

// check opens the maildrop again and compares. lost says that operations failed
// until the end, or the power: then a delivery that was refused may be there.
func (p promised) check(s Subject, before view, lost bool) error {
	after, err := look(s)
	if err != nil {
		return within(err, "afterwards")
	}
	if err := all(p.checkOld(after, before), p.checkNew(after, before, lost)); err != nil {
		return err
	}
	return p.checkLater(s, after, before)
}

// checkOld looks at the messages that were there before.
func (p promised) checkOld(after, before view) error {
	for _, m := range before {
		marked := slices.Contains(p.marked, m.id)
		gone := marked && !slices.Contains(p.remaining, m.id)
		now, there := after.find(m.id)
		switch {
		case !there && !marked:
			return fmt.Errorf("message %q is gone and was not marked", m.id)
		case there && gone:
			return fmt.Errorf("message %q is there and was said to be removed", m.id)
		case there && now.wire != m.wire:
			return fmt.Errorf("message %q has other octets than before", m.id)
		}
	}
	return nil
}

// checkNew looks at the others.
func (p promised) checkNew(after, before view, lost bool) error {
	refused := slices.Clone(p.refused)
	for _, m := range after {
		if _, ok := before.find(m.id); ok {
			continue
		}
		if _, ok := p.delivered.find(m.id); ok {
			continue
		}
		i := slices.Index(refused, m.wire)
		if i < 0 || !lost {
			return fmt.Errorf("message %q came from nowhere", m.id)
		}
		refused = slices.Delete(refused, i, i+1)
	}
	for _, m := range p.delivered {
		now, there := after.find(m.id)
		if !there || now.wire != m.wire {
			return fmt.Errorf("message %q was acknowledged and is not there, or not whole", m.id)
		}
	}
	return nil
}

// checkLater goes on with the maildrop as if nothing had been: ids stay, new
// ones are new, and what is left can be removed.
func (p promised) checkLater(s Subject, after, before view) error {
	if err := sees(s, after); err != nil {
		return within(err, "in the second session")
	}
	v, err := deliver(s, mail(200))
	if err != nil {
		return within(err, "afterwards")
	}
	for _, old := range []view{after, before, p.delivered} {
		if _, used := old.find(v[0].id); used {
			return fmt.Errorf("the unique-id %q was given again", v[0].id)
		}
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	err = d.Update(context.Background(), after.ids())
	return all(errors.Join(err, done()), within(sees(s, v), "after the rest was removed"))
}
