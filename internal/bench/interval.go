package bench

import (
	"context"
	"sync"
	"time"
)

// intervals are the parts of a long run.
type intervals struct {
	on        bool
	mu        sync.Mutex // guards durations
	durations *durations
	done      []Interval // owned by the goroutine that reports
}

// add records a session of the interval that runs.
func (i *intervals) add(t time.Duration) {
	if !i.on {
		return
	}
	i.mu.Lock()
	i.durations.add(t)
	i.mu.Unlock()
}

// take returns what the interval measured, and begins the next one.
func (i *intervals) take() *durations {
	i.mu.Lock()
	defer i.mu.Unlock()
	d := i.durations
	i.durations = new(durations)
	return d
}

// report tells how it goes, until stop is called, and keeps it for the result.
func (r *run) report(ctx context.Context, m *meter) (stop func()) {
	r.interval.on = r.scenario.intervals || r.Report != nil
	if !r.interval.on {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(r.Every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				r.reportOne(m)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (r *run) reportOne(m *meter) {
	d := r.interval.take()
	now := Interval{Seconds: time.Since(m.started).Seconds(), Sessions: d.seen, Latency: latency([]*durations{d}), Mistakes: r.mistakes.list().Count}
	if m.pid != 0 {
		if u, err := ReadUsage(m.pid); err == nil {
			now.CPUSeconds = (u.CPU - m.usage.CPU).Seconds()
		}
		if memory, err := ReadMemory(m.pid); err == nil {
			now.Memory = memory.Octets
		}
	}
	if r.scenario.intervals {
		r.interval.done = append(r.interval.done, now)
	}
	if r.Report != nil {
		r.Report(now)
	}
}
