package pop3server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A presence is a context like any other, whether somebody has waited for it before it
// ends or nobody has.
func TestPresenceEnds(t *testing.T) {
	for name, how := range map[string]struct {
		end  func(server context.CancelFunc, p *presence)
		want error
	}{
		"the login's time": {func(context.CancelFunc, *presence) { time.Sleep(time.Minute) }, context.DeadlineExceeded},
		"evicted":          {func(_ context.CancelFunc, p *presence) { p.end(); p.end() }, context.Canceled},
		"shutdown":         {func(server context.CancelFunc, _ *presence) { server() }, context.Canceled},
	} {
		for _, waited := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server, stop := context.WithCancel(context.WithValue(t.Context(), testKey{}, "value"))
					defer stop()
					p := &presence{server: server, deadline: time.Now().Add(time.Minute)}
					defer p.end()
					if at, ok := p.Deadline(); !ok || time.Until(at) != time.Minute {
						t.Errorf("deadline %v, %v", at, ok)
					}
					var child context.Context
					if waited {
						var cancel context.CancelFunc
						child, cancel = context.WithCancel(p)
						defer cancel()
					}
					select {
					default:
					case <-doneIf(waited, p):
						t.Error("over at once")
					}
					if err := p.Err(); err != nil || p.Value(testKey{}) != "value" {
						t.Errorf("at the beginning: %v, value %v", err, p.Value(testKey{}))
					}
					how.end(stop, p)
					synctest.Wait()
					if err := p.Err(); !errors.Is(err, how.want) {
						t.Errorf("Err is %v, want %v", err, how.want)
					}
					<-p.Done()
					if err := p.Err(); !errors.Is(err, how.want) {
						t.Errorf("then Err is %v, want %v", err, how.want)
					}
					if child != nil && !errors.Is(child.Err(), how.want) {
						t.Errorf("the child's is %v, want %v", child.Err(), how.want)
					}
					if p.Value(testKey{}) != "value" {
						t.Errorf("value %v", p.Value(testKey{}))
					}
				})
			})
		}
	}
}

type testKey struct{}

// doneIf is what ends with p, if somebody is to wait for that.
func doneIf(wait bool, p *presence) <-chan struct{} {
	if wait {
		return p.Done()
	}
	return nil
}
