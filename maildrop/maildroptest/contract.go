package maildroptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"postfach/maildrop"
	"postfach/pop3"
)

// contract is what the border says, with nothing going wrong.
func contract() []Case {
	return []Case{
		{Name: "Empty", Check: empty},
		{Name: "Order", Check: order},
		{Name: "Sizes", Check: sizes},
		{Name: "SnapshotIsFixed", Check: snapshotIsFixed},
		{Name: "LockExcludes", Check: lockExcludes},
		{Name: "CloseRemovesNothing", Check: closeRemovesNothing},
		{Name: "UpdateRemovesTheseOnly", Check: updateRemovesTheseOnly},
		{Name: "UniqueIDsAreNotReused", Check: uniqueIDsAreNotReused},
		{Name: "IdenticalCopies", Check: identicalCopies},
		{Name: "Vanished", Check: vanished, Needs: func(s Subject) bool { return s.Vanish != nil }},
		{Name: "NoUser", Check: noUser},
		{Name: "Cancelled", Check: cancelled},
		{Name: "BrokenDelivery", Check: brokenDelivery},
		{Name: "ManyAtOnce", Check: manyAtOnce},
	}
}

func empty(fresh func() Subject) error {
	return sees(fresh(), nil)
}

// order: P3-MSG-01, and LCK-07's "as the last number".
func order(fresh func() Subject) error {
	s := fresh()
	var want view
	for n := range 12 {
		v, err := deliver(s, mail(n))
		if err != nil {
			return err
		}
		want = append(want, v...)
	}
	return all(sees(s, want), sees(s, want))
}

// sizes: P3-MSG-03, P3-MSG-04, P3-MSG-07, P3-MSG-09, P3-MSG-14.
func sizes(fresh func() Subject) error {
	octets := make([]byte, 256)
	for i := range octets {
		octets[i] = byte(i)
	}
	texts := []string{
		"", "\n", "\r\n", "\r", ".", ".\n", ".\r\n..\r\n", "\n.\n", "a", "a\r", "a\rb\n", "a\r\r\n",
		"a\nb\r\nc\n", "no line end", "h: v\r\n\r\nbody\r\n", string(octets),
		strings.Repeat("\r\n", 70_000), strings.Repeat("x", 300_000), strings.Repeat("x\n", 40_000),
	}
	s := fresh()
	want, err := deliver(s, texts...)
	if err != nil {
		return err
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	defer done()
	first, err := read(d)
	if err != nil {
		return err
	}
	second, err := read(d)
	return all(err, same(first, want), same(second, want), done())
}

// snapshotIsFixed: P3-LCK-07, P3-LCK-08.
func snapshotIsFixed(fresh func() Subject) error {
	s := fresh()
	old, err := deliver(s, mail(1), mail(2))
	if err != nil {
		return err
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	defer done()
	late, err := deliver(s, mail(3))
	if err != nil {
		return within(err, "while a session is open")
	}
	got, err := read(d)
	if err := all(err, same(got, old)); err != nil {
		return err
	}
	if err := all(d.Update(context.Background(), old.ids()), done()); err != nil {
		return err
	}
	return sees(s, late)
}

// lockExcludes: P3-LCK-01, P3-LCK-04.
func lockExcludes(fresh func() Subject) error {
	s := fresh()
	want, err := deliver(s, mail(1))
	if err != nil {
		return err
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	defer done()
	second, err := s.Store.Open(context.Background(), User)
	if err == nil {
		second.Close()
		return errors.New("a second session got the lock")
	}
	if !errors.Is(err, maildrop.ErrLocked) {
		return fmt.Errorf("a second Open: got %w, want ErrLocked", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Store.Open(ctx, User); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a cancelled Open: got %w, want context.Canceled", err)
	}
	got, err := read(d) // the first one goes on
	return all(err, same(got, want), done(), sees(s, want))
}

// closeRemovesNothing: P3-LCK-06, and goal 1.
func closeRemovesNothing(fresh func() Subject) error {
	s := fresh()
	want, err := deliver(s, mail(1), mail(2))
	if err != nil {
		return err
	}
	for range 3 {
		if err := sees(s, want); err != nil {
			return err
		}
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	return all(d.Update(context.Background(), nil), done(), sees(s, want))
}

// updateRemovesTheseOnly: P3-UPD-01, P3-UPD-03, P3-UIDL-09.
func updateRemovesTheseOnly(fresh func() Subject) error {
	for _, marks := range [][]int{{0}, {1, 3}, {4, 0, 2}, {4}, {0, 1, 2, 3, 4}} {
		s := fresh()
		all5, err := deliver(s, mail(0), mail(1), mail(2), mail(3), mail(4))
		if err != nil {
			return err
		}
		var left view
		var deleted []pop3.UniqueID
		for i, m := range all5 {
			if slices.Contains(marks, i) {
				deleted = append(deleted, m.id)
			} else {
				left = append(left, m)
			}
		}
		d, done, err := open(s)
		if err != nil {
			return err
		}
		if err := all(d.Update(context.Background(), deleted), done(), sees(s, left)); err != nil {
			return within(err, "marked %v of 0 to 4", marks)
		}
	}
	return nil
}

// uniqueIDsAreNotReused: P3-UIDL-06.
func uniqueIDsAreNotReused(fresh func() Subject) error {
	s := fresh()
	used := map[pop3.UniqueID]bool{}
	for n := range 5 {
		v, err := deliver(s, mail(n), mail(n)) // the same again and again
		if err != nil {
			return err
		}
		for _, m := range v {
			if used[m.id] {
				return fmt.Errorf("the unique-id %q was given again", m.id)
			}
			used[m.id] = true
		}
		d, done, err := open(s)
		if err != nil {
			return err
		}
		if err := all(d.Update(context.Background(), v.ids()), done()); err != nil {
			return err
		}
	}
	return sees(s, nil)
}

// identicalCopies: P3-UIDL-04.
func identicalCopies(fresh func() Subject) error {
	s := fresh()
	v, err := deliver(s, mail(1), mail(1), mail(1))
	if err != nil {
		return err
	}
	if err := sees(s, v); err != nil { // which refuses an id that occurs twice
		return err
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	return all(d.Update(context.Background(), v.ids()[1:2]), done(), sees(s, view{v[0], v[2]}))
}

// vanished: P3-LCK-08.
func vanished(fresh func() Subject) error {
	s := fresh()
	v, err := deliver(s, mail(1), mail(2), mail(3))
	if err != nil {
		return err
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	defer done()
	if err := s.Vanish(v[1].id); err != nil {
		return err
	}
	if _, err := fetch(d, v[1].id); !errors.Is(err, maildrop.ErrGone) {
		return fmt.Errorf("a vanished message: got %w, want ErrGone", err)
	}
	for _, m := range []message{v[0], v[2]} {
		octets, err := fetch(d, m.id)
		if err != nil || onWire(octets) != m.wire {
			return fmt.Errorf("a message beside a vanished one: %w", err)
		}
	}
	if n := len(d.Messages()); n != len(v) {
		return fmt.Errorf("%d messages in the session, want the %d of its begin", n, len(v))
	}
	return all(
		within(d.Update(context.Background(), v.ids()[:2]), "what is gone counts as removed"),
		done(), sees(s, v[2:]))
}

func noUser(fresh func() Subject) error {
	s := fresh()
	if _, err := s.Store.Open(context.Background(), Stranger); !errors.Is(err, maildrop.ErrNoUser) {
		return fmt.Errorf("open: got %w, want ErrNoUser", err)
	}
	_, err := s.Deliverer.Deliver(context.Background(), Stranger, strings.NewReader(mail(1)))
	if !errors.Is(err, maildrop.ErrNoUser) {
		return fmt.Errorf("deliver: got %w, want ErrNoUser", err)
	}
	return nil
}

func cancelled(fresh func() Subject) error {
	s := fresh()
	want, err := deliver(s, mail(1), mail(2))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Store.Open(ctx, User); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("open: got %w, want context.Canceled", err)
	}
	if _, err := s.Deliverer.Deliver(ctx, User, strings.NewReader(mail(3))); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("deliver: got %w, want context.Canceled", err)
	}
	d, done, err := open(s)
	if err != nil {
		return err
	}
	defer done()
	if r, err := d.Content(ctx, want[0].id); err == nil {
		r.Close()
		return errors.New("content: no error")
	}
	err = d.Update(ctx, want.ids())
	var failed *maildrop.UpdateError
	if !errors.As(err, &failed) || !slices.Equal(failed.Remaining, want.ids()) {
		return fmt.Errorf("update: got %w, want an *UpdateError with all ids", err)
	}
	return all(done(), sees(s, want))
}

// brokenDelivery: of a message whose sender breaks off, nothing is seen.
func brokenDelivery(fresh func() Subject) error {
	s := fresh()
	broken := errors.New("the sender broke off")
	msg := io.MultiReader(strings.NewReader(mail(1)), failing{broken})
	if _, err := s.Deliverer.Deliver(context.Background(), User, msg); !errors.Is(err, broken) {
		return fmt.Errorf("got %w, want the reader's error", err)
	}
	return sees(s, nil)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// manyAtOnce delivers from several sides while sessions come and go.
func manyAtOnce(fresh func() Subject) error {
	s := fresh()
	const sides, each = 4, 8
	results := make(chan error, sides)
	var wanted sync.Map
	for side := range sides {
		go func() {
			v, err := view(nil), error(nil)
			for n := range each {
				if v, err = deliver(s, mail(side*each+n)); err != nil {
					break
				}
				wanted.Store(v[0].id, v[0].wire)
			}
			results <- err
		}()
	}
	var failed error
	for range sides {
		_, err := look(s)
		failed = errors.Join(failed, err, <-results)
	}
	got, err := look(s)
	if err := errors.Join(failed, err); err != nil {
		return err
	}
	for _, m := range got {
		wire, ok := wanted.LoadAndDelete(m.id)
		if !ok || wire != m.wire {
			return fmt.Errorf("message %q is not what was delivered", m.id)
		}
	}
	if len(got) != sides*each {
		return fmt.Errorf("%d messages, want %d", len(got), sides*each)
	}
	return nil
}
