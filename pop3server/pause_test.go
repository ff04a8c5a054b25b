package pop3server_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postfach/maildrop"
)

// A pausing maildrop counts the pauses.
type pausing struct {
	*drop
	pauses atomic.Int64
}

func (p *pausing) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	if _, err := p.drop.Open(ctx, user); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *pausing) Pause() { p.pauses.Add(1) }

// A store hears of a pause when the client has been silent for two seconds, or reads no
// messages any more, and only where it has read some.
func TestPauseIsSaidOnceToAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pausing{drop: three()}
		srv, _ := newServer(p.drop)
		srv.Store = p
		c := connect(t, srv)
		want := func(pauses int64) {
			t.Helper()
			synctest.Wait()
			if n := p.pauses.Load(); n != pauses {
				t.Errorf("%d pauses, want %d", n, pauses)
			}
		}
		const top = "S: +OK ...\nS: Subject: ...\nS: \nS: .\n"
		c.talk(login)
		for range 3 {
			c.talk("C: TOP 2 0\n" + top)
			<-time.After(2*time.Second - 1)
			want(0)
		}
		<-time.After(1)
		want(1)
		c.talk("C: NOOP\nS: +OK ...")
		<-time.After(time.Minute)
		want(1)
		c.send("TOP 2 0\r\nTOP 3 0\r\nTOP 2 0\r\n") // the session has settled
		c.talk(top + top + top)
		want(2)
		c.talk("C: QUIT\nS: +OK ...\n(close)")
		want(2)
	})
}
