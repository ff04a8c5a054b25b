package bench

import (
	"context"
	"sync/atomic"
	"time"
)

// openAtOnce is how many of the sessions that are to be held log in at the same time.
const openAtOnce = 16

// idle logs in a session for each worker, holds them, reads what they cost in memory,
// asks each whether it is still there, and ends them.
func idle(ctx context.Context, r *run, workers []*worker) error {
	// What the server makes once is not a session's.
	r.phase.Store(warming)
	each(workers[:min(openAtOnce, len(workers))], func(w *worker) { w.login(ctx, w.name()) })
	r.phase.Store(measuring)
	before, err := r.memory()
	if err != nil {
		return err
	}
	conns := make([]*conn, len(workers))
	var loggedIn atomic.Int64
	r.held(ctx, workers, func(i int, w *worker) error {
		started := time.Now()
		c, err := w.open(ctx)
		if err != nil {
			return err
		}
		if err := c.login(w.name(), r.Target.Password); err != nil {
			c.close()
			return err
		}
		w.took("login", time.Since(started))
		loggedIn.Add(1)
		conns[i] = c
		return nil
	})
	wait := time.NewTimer(r.Hold)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	after, err := r.memory()
	r.extra = (after - before) / max(loggedIn.Load(), 1)
	r.held(ctx, workers, func(i int, w *worker) error {
		if conns[i] == nil {
			return nil // counted
		}
		if _, err := conns[i].exchange("NOOP"); err != nil {
			return err
		}
		if _, err := conns[i].quit(); err != nil {
			return err
		}
		w.sessions++
		return nil
	})
	for _, c := range conns {
		if c != nil {
			c.close()
		}
	}
	return err
}

// held does f for all sessions, a few at the same time.
func (r *run) held(ctx context.Context, workers []*worker, f func(i int, w *worker) error) {
	turn := make(chan struct{}, openAtOnce)
	index := make(map[*worker]int, len(workers))
	for i, w := range workers {
		index[w] = i
	}
	each(workers, func(w *worker) {
		turn <- struct{}{}
		defer func() { <-turn }()
		if ctx.Err() != nil {
			return
		}
		if err := f(index[w], w); err != nil && ctx.Err() == nil {
			r.mistakes.add(w.name(), "%v", err)
		}
	})
}

// name is the user of the worker's only account.
func (w *worker) name() string { return UserName(w.Target.User, w.accounts[0]) }

// memory reads the server's memory, if there is a PID.
func (r *run) memory() (int64, error) {
	if r.PID == 0 {
		return 0, nil
	}
	m, err := ReadMemory(r.PID)
	return m.Octets, err
}
