package explore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"postfach/pop3"
)

// An Outcome is what Commit did.
type Outcome struct {
	Deleted []Entry       // the server confirmed QUIT: they are gone
	Refused map[Key]error // the server refused to mark these, or they cannot be recognised: they stay
	Gone    []Entry       // they were not there any more
	Changed []Entry       // another size than was marked: left alone
	// Unknown are those of which nobody knows: the answer to QUIT did not come.
	// The next listing tells.
	Unknown []Entry
}

// Commit deletes the marked messages, for good: DELE for each, then QUIT. keys
// are those that a person was shown; ErrOtherMarks if they are not the marked
// ones. It leaves the Explorer Away; an Outcome may come with an error. Until
// QUIT the end of ctx deletes nothing.
func (e *Explorer) Commit(ctx context.Context, keys []Key) (out Outcome, err error) {
	if e.a.ReadOnly {
		return out, ErrReadOnly
	}
	err = e.request(ctx, func(ask, _ context.Context) error {
		staged, err := e.stage(keys)
		if err != nil || len(staged) == 0 {
			return err
		}
		out, err = e.commit(ask, staged)
		e.mu.Lock()
		e.committing = false
		e.mu.Unlock()
		return err
	})
	return out, err
}

const deleting = "deleting" // Status.Busy

// stage returns the marked messages, if they are those of keys. From here on
// marks stay as they are.
func (e *Explorer) stage(keys []Key) ([]Entry, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	shown := make(map[Key]bool, len(keys))
	for _, k := range keys {
		shown[k] = true
	}
	var staged []Entry
	for i := range e.list.rows {
		r := &e.list.rows[i]
		if r.marked != shown[r.key] {
			return nil, ErrOtherMarks
		}
		if r.marked {
			staged = append(staged, e.entry(r))
		}
	}
	if len(staged) != len(shown) {
		return nil, ErrOtherMarks
	}
	if len(staged) > 0 {
		e.committing, e.busy = true, deleting
		if e.state == Held {
			e.state = Committing
		}
		e.bell.ring()
	}
	return staged, nil
}

// A deletion is one way through DELE and QUIT.
type deletion struct {
	out      Outcome
	numbers  []int
	byNumber map[int]Entry
	accepted []Entry
}

// commit deletes what was staged. However it ends, the Explorer is Away.
func (e *Explorer) commit(ctx context.Context, staged []Entry) (Outcome, error) {
	s, err := e.forCommit(ctx, slices.ContainsFunc(staged, func(was Entry) bool { return was.Key.bound() }))
	if err != nil {
		e.away("")
		return Outcome{}, fmt.Errorf("nothing was deleted: %w", err)
	}
	d := e.find(staged)
	if err := e.dele(ctx, s, d); err != nil {
		// Without QUIT no DELE has had an effect (P3-ST-03).
		e.hangUp(s, true)
		e.away("")
		return d.out, fmt.Errorf("nothing was deleted: %w", err)
	}
	if len(d.accepted) == 0 {
		e.leave(ctx, "")
		return d.out, nil
	}
	// QUIT was decided on: the end of the request does not stop it any more, or
	// nobody would know what was deleted.
	err = s.c.Quit(e.life)
	e.hangUp(s, true)
	e.settle(d, err)
	e.away("")
	if err != nil {
		err = fmt.Errorf("it is not known what was deleted, the next listing tells: %w", err)
	}
	return d.out, err
}

// forCommit returns a session whose QUIT removes what DELE names and nothing
// else. bound: some of that has no unique-id, so that it must be this session.
func (e *Explorer) forCommit(ctx context.Context, bound bool) (*session, error) {
	s, fresh, err := e.here(ctx)
	if err != nil || fresh {
		return s, err
	}
	if !s.tainted() || bound || !s.expires0() && s.delayed() {
		// RSET finds out whether the connection still stands. Where no other
		// session will do it is also what must make the server forget what was
		// retrieved.
		err = s.c.Rset(ctx)
		var no *pop3.Error
		if err == nil || errors.As(err, &no) && !s.tainted() {
			return s, nil
		}
	}
	e.hangUpTainted(ctx, s)
	e.away("")
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if bound {
		return nil, errBound
	}
	s, _, err = e.here(ctx)
	return s, err
}

// errBound: what was marked cannot be told from other messages any more.
var errBound = errors.New("the session has ended, and messages without a unique-id of their own must be marked in it")

// errVague: see list.vague.
var errVague = errors.New("it cannot be told from other messages any more, and was left alone: its unique-id is missing, or not its own")

func (d *deletion) refuse(k Key, why error) {
	if d.out.Refused == nil {
		d.out.Refused = make(map[Key]error)
	}
	d.out.Refused[k] = why
}

// find looks for the staged messages in the session's listing.
func (e *Explorer) find(staged []Entry) *deletion {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := &deletion{byNumber: make(map[int]Entry, len(staged))}
	for _, was := range staged {
		i, ok := e.list.index[was.Key]
		if !ok && e.list.vague {
			d.refuse(was.Key, errVague)
			continue
		}
		if !ok {
			d.out.Gone = append(d.out.Gone, was)
			continue
		}
		now := e.entry(&e.list.rows[i])
		if now.Size != was.Size {
			d.out.Changed = append(d.out.Changed, now)
			continue
		}
		d.numbers = append(d.numbers, now.Number)
		d.byNumber[now.Number] = now
	}
	// From the last to the first: there are servers that move the messages up
	// behind one that is marked, and would delete others.
	slices.Sort(d.numbers)
	slices.Reverse(d.numbers)
	return d
}

// dele marks the messages on the server. On an error nothing must follow but the
// end of the connection.
func (e *Explorer) dele(ctx context.Context, s *session, d *deletion) error {
	for n, err := range s.c.DeleAll(ctx, d.numbers) {
		var no *pop3.Error
		switch {
		case err == nil:
			d.accepted = append(d.accepted, d.byNumber[n])
		case errors.As(err, &no):
			d.refuse(d.byNumber[n].Key, err)
		default:
			return err
		}
	}
	slices.Reverse(d.accepted)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// settle notes what QUIT did.
func (e *Explorer) settle(d *deletion, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		d.out.Unknown = d.accepted
		for _, was := range d.accepted {
			if !was.Key.bound() {
				e.unresolved = append(e.unresolved, was.Key)
			}
		}
		return
	}
	e.connected()
	d.out.Deleted = d.accepted
	gone := make(map[Key]bool, len(d.accepted))
	for _, was := range d.accepted {
		gone[was.Key] = true
	}
	e.list.remove(gone)
}

// resolve tells, after a listing, what became of deletions that nobody knew
// about; mu is held. Those are not told again.
func (e *Explorer) resolve(told *relisting) {
	if len(e.unresolved) == 0 {
		return
	}
	gone := make(map[Key]bool)
	for _, k := range e.unresolved {
		if _, there := e.list.index[k]; !there {
			gone[k] = true
		}
	}
	told.gone = slices.DeleteFunc(told.gone, func(was Entry) bool { return gone[was.Key] })
	what := "are gone"
	if e.list.vague && len(gone) > 0 {
		what = "cannot be found; others have no unique-id of their own, and may be these"
	}
	e.tellOfMarks(fmt.Sprintf("of the deletion that was not confirmed, %d of %d %s", len(gone), len(e.unresolved), what))
	e.unresolved = nil
}
