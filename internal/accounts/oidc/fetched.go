package oidc

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// How old what an issuer published may get, and how often it is asked for that:
// tokens with invented keys must not become a flood of questions.
const (
	maxAge   = time.Hour
	minPause = 10 * time.Second
)

// A fetched is something that the issuer publishes. One question at a time is under way,
// in a goroutine of its own: that somebody needs an answer stops nobody who has one.
type fetched[T any] struct {
	fetch   func(context.Context) (T, error)
	now     func() time.Time
	timeout time.Duration

	mu sync.Mutex // guards what follows
	said[T]
	tried    time.Time
	underWay chan struct{} // closed when the question is answered; nil: none
}

// said is what the issuer has said, and when.
type said[T any] struct {
	value T
	have  time.Time // when value was fetched; zero: never
	err   error     // of the last try
}

func newFetched[T any](c *Config, fetch func(context.Context) (T, error)) *fetched[T] {
	return &fetched[T]{fetch: fetch, now: c.now, timeout: c.Timeout}
}

// get returns it, no older than maxAge, or with newer set asked for just now.
// Between two questions there is a pause, during which the answer is that of the
// last one. Where the issuer is away, err says so, beside the last value that
// there is; have is zero if there is none. Once that is known, nobody waits for the
// issuer who can do with the last value.
func (f *fetched[T]) get(ctx context.Context, newer bool) (value T, have time.Time, err error) {
	f.mu.Lock()
	now, last := f.now(), f.said
	known := !last.have.IsZero() && !newer
	fresh := known && now.Sub(last.have) < maxAge
	paused := !f.tried.IsZero() && now.Sub(f.tried) < minPause
	if !fresh && !paused && f.underWay == nil {
		f.tried, f.underWay = now, make(chan struct{})
		// Not only for who asks now: that he goes away is no failure of the issuer's.
		go f.ask(context.WithoutCancel(ctx), now, f.underWay)
	}
	answered := f.underWay
	f.mu.Unlock()
	if answered == nil || fresh || known && last.err != nil {
		return last.value, last.have, last.err
	}
	select {
	case <-answered:
	case <-ctx.Done():
		return value, have, fmt.Errorf("wait for the issuer: %w", context.Cause(ctx))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.value, f.have, f.err
}

// ask fetches it.
func (f *fetched[T]) ask(ctx context.Context, now time.Time, answered chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	got, err := f.shielded(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err = err; err == nil {
		f.value, f.have = got, now
	}
	f.underWay = nil
	close(answered)
}

// shielded makes an error of a panic, which would cost the process in this goroutine.
func (f *fetched[T]) shielded(ctx context.Context) (got T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f.fetch(ctx)
}
