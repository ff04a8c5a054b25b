package oidc

import (
	"context"
	"fmt"
	"time"
)

// How old what an issuer published may get, and how often it is asked for that:
// tokens with invented keys must not become a flood of questions.
const (
	maxAge   = time.Hour
	minPause = 10 * time.Second
)

// A fetched is something that the issuer publishes.
type fetched[T any] struct {
	fetch   func(context.Context) (T, error)
	now     func() time.Time
	timeout time.Duration

	turn  chan struct{} // whoever has it may use what follows
	value T
	have  time.Time // when value was fetched; zero: never
	tried time.Time
	err   error // of the last try
}

func newFetched[T any](c *Config, fetch func(context.Context) (T, error)) *fetched[T] {
	return &fetched[T]{fetch: fetch, now: c.now, timeout: c.Timeout, turn: make(chan struct{}, 1)}
}

// get returns it, no older than maxAge, or with newer set asked for just now.
// Between two questions there is a pause, during which the answer is that of the
// last one. Where the issuer is away, err says so, beside the last value that
// there is; have is zero if there is none.
func (f *fetched[T]) get(ctx context.Context, newer bool) (value T, have time.Time, err error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return value, have, fmt.Errorf("wait for the issuer: %w", context.Cause(ctx))
	}
	defer func() { <-f.turn }()
	now := f.now()
	fresh := !f.have.IsZero() && now.Sub(f.have) < maxAge && !newer
	paused := !f.tried.IsZero() && now.Sub(f.tried) < minPause
	if fresh || paused {
		return f.value, f.have, f.err
	}
	// Not only for who asks now: that he goes away is no failure of the issuer's.
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.timeout)
	defer cancel()
	got, err := f.fetch(own)
	f.tried, f.err = now, err
	if err == nil {
		f.value, f.have = got, now
	}
	return f.value, f.have, f.err
}
