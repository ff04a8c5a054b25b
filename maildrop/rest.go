package maildrop

import "context"

type restKey struct{}

// WithRest returns a context for Open, under which Rest calls around. That calls
// wait, once, and may do something before and after: a server that bounds how many
// calls are in the Store lets another one in meanwhile.
func WithRest(ctx context.Context, around func(wait func() error) error) context.Context {
	return context.WithValue(ctx, restKey{}, around)
}

// Rest calls wait and returns its error, or that of what WithRest put around it. A
// Store that waits in Open for something else than its disk, such as the lock that
// another session has, waits in Rest, on the goroutine that called Open. It has
// nothing to give back then. One that does not use Rest works as well; each of its
// calls only counts longer.
func Rest(ctx context.Context, wait func() error) error {
	if around, ok := ctx.Value(restKey{}).(func(func() error) error); ok {
		return around(wait)
	}
	return wait()
}
