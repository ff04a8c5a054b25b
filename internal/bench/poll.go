package bench

import (
	"context"

	"postfach/pop3"
)

// pollSession is a login whose STAT has to be that of the session before: the maildrop
// does not change.
func pollSession(ctx context.Context, w *worker, user string, account int) error {
	stat, err := w.login(ctx, user)
	if err != nil {
		return err
	}
	if stat.Count == 0 {
		w.mistakes.add(user, "the maildrop is empty")
	}
	// drops are a worker's own, because accounts are; a name without a number is
	// shared, and not compared.
	d := &w.drops[account-1]
	if w.Users >= w.AtOnce && d.stat != (pop3.DropListing{}) && d.stat != stat {
		w.mistakes.add(user, "STAT was %d %d, and is %d %d", d.stat.Count, d.stat.Size, stat.Count, stat.Size)
	}
	if w.Users >= w.AtOnce {
		d.stat = stat
	}
	return nil
}
