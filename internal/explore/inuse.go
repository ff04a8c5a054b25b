package explore

import (
	"context"
	"time"

	"postfach/pop3"
)

// A server notices only a moment later that a connection has ended without QUIT.
// Until then the lock that keeps the Explorer out is its own.
const (
	lockPatience   = 5 * time.Second // since the connection ended
	firstLockPause = 100 * time.Millisecond
)

// dialBehind is dial behind a session that was cut off, if there was one: it
// waits until the server has noticed.
func (e *Explorer) dialBehind(ctx context.Context, password string) (*session, error) {
	for pause := firstLockPause; ; pause *= 2 {
		s, err := e.dial(ctx, password)
		if !pop3.CodeOf(err).Is(pop3.CodeInUse) || time.Since(e.cut) > lockPatience-pause {
			return s, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
}
