package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/timers"
)

// A run is a Load that runs.
type run struct {
	Load
	scenario *scenario
	conf     *tls.Config
	mistakes mistakes
	sums     sums
	drops    []drop // of users, by number less one
	cancel   context.CancelFunc

	phase     atomic.Int32
	deadline  time.Time // zero: none
	begun     atomic.Int64
	delivered int64 // written by one goroutine, read when it has ended
	interval  intervals
	extra     int64 // idle: memory a session
}

// A worker makes one session after the other, each with a maildrop of its own.
type worker struct {
	*run
	accounts []int // whose sessions it makes
	next     int
	buf, out []byte
	lines    []byte  // of the last listing
	sizes    []int64 // of the last LIST

	sessions, messages, octets, resumed int64
	measured                            map[string]*durations
}

// Run runs a Load. The error is of a Load that cannot be run; mistakes of the server
// are in the result. When ctx ends the result is of what was done until then.
func Run(ctx context.Context, l Load) (*Result, error) {
	s, err := l.settle()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer timers.Late(timers.Slack)() // else Go looks after its threads for a good part of the client's time
	r := &run{Load: l, scenario: s, cancel: cancel, drops: make([]drop, l.Users)}
	r.mistakes.many = cancel
	r.interval.durations = new(durations)
	if r.conf, err = l.Target.config(); err != nil {
		return nil, err
	}
	if err := r.probe(ctx); err != nil {
		return nil, err
	}
	workers := r.workers()
	if s.whole == nil {
		r.warmUp(ctx, workers)
	}
	r.phase.Store(measuring)
	m, err := startMeter(l.PID)
	if err != nil {
		return nil, err
	}
	if l.For > 0 {
		r.deadline = m.started.Add(l.For)
	}
	stopReports := r.report(ctx, m)
	if err := r.measure(ctx, workers); err != nil {
		m.stop()
		stopReports()
		return nil, err
	}
	m.stop()
	stopReports()
	res, err := r.result(workers, m)
	if err == nil && s.deliveries {
		r.phase.Store(checking)
		r.catchUp(ctx, workers)
		res.Mistakes = r.mistakes.list()
	}
	return res, err
}

// The phases of a run. Durations are those of the second.
const (
	warming = iota
	measuring
	checking
)

// config is the client's TLS configuration.
func (t *Target) config() (*tls.Config, error) {
	if t.Security == Clear {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(t.Addr)
	if err != nil {
		return nil, err
	}
	conf := t.TLS.Clone()
	if conf == nil {
		conf = &tls.Config{InsecureSkipVerify: loopback(t.Addr)} // on this machine there is nobody in between
	}
	if conf.ServerName == "" {
		conf.ServerName = host
	}
	conf.ClientSessionCache = nil
	if t.Resume {
		conf.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return conf, nil
}

// probe finds out whether there is a POP3 server. It does not log in: what was never
// seen stays so.
func (r *run) probe(ctx context.Context) error {
	c, err := r.Target.open(ctx, r.conf, make([]byte, 4096), nil)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Target.Addr, err)
	}
	defer c.close()
	_, err = c.quit()
	return err
}

// workers shares the accounts out: no two workers have the same one, because a
// maildrop has one session.
func (r *run) workers() []*worker {
	workers := make([]*worker, r.AtOnce)
	for i := range workers {
		w := &worker{run: r, buf: make([]byte, max(r.scenario.buffer, 4096)), measured: make(map[string]*durations)}
		for n := i + 1; n <= r.Users; n += r.AtOnce {
			w.accounts = append(w.accounts, n)
		}
		if len(w.accounts) == 0 {
			w.accounts = []int{1 + i%r.Users} // a name without a number: the server may allow it
		}
		workers[i] = w
	}
	return workers
}

// each runs f for all workers at once.
func each(workers []*worker, f func(*worker)) {
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() { f(w) })
	}
	all.Wait()
}

func (r *run) warmUp(ctx context.Context, workers []*worker) {
	each(workers, func(w *worker) {
		for range r.WarmUp {
			for range w.accounts {
				w.once(ctx)
			}
		}
	})
	for _, w := range workers {
		w.sessions, w.messages, w.octets, w.resumed = 0, 0, 0, 0
	}
}

// measure is the part that counts.
func (r *run) measure(ctx context.Context, workers []*worker) error {
	if r.scenario.whole != nil {
		return r.scenario.whole(ctx, r, workers)
	}
	meanwhile := func() error { return nil }
	if r.scenario.deliveries {
		stop, err := r.deliveries(ctx)
		if err != nil {
			return err
		}
		meanwhile = stop
	}
	each(workers, func(w *worker) {
		for w.more(ctx) {
			w.once(ctx)
		}
	})
	return meanwhile()
}

// more reports whether another session is to begin, and counts it.
func (w *worker) more(ctx context.Context) bool {
	if ctx.Err() != nil || w.late() {
		return false
	}
	return w.begun.Add(1) <= int64(w.Count) || w.Count == 0
}

// late reports whether the time is over.
func (r *run) late() bool { return !r.deadline.IsZero() && !time.Now().Before(r.deadline) }

// once makes one session, with the next of the worker's accounts.
func (w *worker) once(ctx context.Context) {
	account := w.accounts[w.next%len(w.accounts)]
	w.next++
	user := UserName(w.Target.User, account)
	if err := w.scenario.session(ctx, w, user, account); err != nil && ctx.Err() == nil {
		w.mistakes.add(user, "%v", err)
		return
	}
	w.sessions++
}

// open begins a connection.
func (w *worker) open(ctx context.Context) (*conn, error) {
	c, err := w.Target.open(ctx, w.conf, w.buf, w.out)
	if err == nil && c.resumed() {
		w.resumed++
	}
	return c, err
}

// close ends a connection, and keeps its room for the next one.
func (w *worker) close(c *conn) {
	w.out = c.out
	c.close()
}

// took records how long something took.
func (w *worker) took(what string, t time.Duration) {
	if w.phase.Load() != measuring {
		return
	}
	d := w.measured[what]
	if d == nil {
		d = new(durations)
		w.measured[what] = d
	}
	d.add(t)
	if what == session {
		w.interval.add(t)
	}
}

// The units of operations. session is the kind of durations that intervals have, too.
const (
	session = "session"
	message = "message"
)

// result adds up what workers did.
func (r *run) result(workers []*worker, m *meter) (*Result, error) {
	res := &Result{
		Version: 1, Scenario: r.Scenario, Settings: r.settings(), Started: m.started.UTC(), Unit: r.scenario.Unit,
		Delivered: r.delivered, LatencyMS: make(map[string]Latency), Intervals: r.interval.done, Mistakes: r.mistakes.list(),
	}
	kinds := make(map[string][]*durations)
	for _, w := range workers {
		res.Sessions += w.sessions
		res.Messages += w.messages
		res.Octets += w.octets
		res.Resumed += w.resumed
		for kind, d := range w.measured {
			kinds[kind] = append(kinds[kind], d)
		}
	}
	res.Operations = res.Messages
	if r.scenario.Unit == session {
		res.Operations = res.Sessions
	}
	for kind, d := range kinds {
		res.LatencyMS[kind] = latency(d)
	}
	if err := m.finish(res); err != nil {
		return nil, err
	}
	if res.Server != nil {
		res.Server.MemoryPerSession = r.extra
	}
	return res, nil
}
