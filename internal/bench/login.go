package bench

import (
	"context"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// loginSession is connect, USER, PASS, STAT, QUIT.
func loginSession(ctx context.Context, w *worker, user string, _ int) error {
	_, err := w.login(ctx, user)
	return err
}

// login is a session with nothing but STAT.
func (w *worker) login(ctx context.Context, user string) (pop3.DropListing, error) {
	started := time.Now()
	c, err := w.open(ctx)
	if err != nil {
		return pop3.DropListing{}, err
	}
	defer w.close(c)
	if err := c.login(user, w.Target.Password); err != nil {
		return pop3.DropListing{}, err
	}
	stat, err := c.stat()
	if err != nil {
		return stat, err
	}
	answered, err := c.quit()
	w.took(session, answered.Sub(started))
	return stat, err
}

func (c *conn) stat() (pop3.DropListing, error) {
	text, err := c.exchange("STAT")
	if err != nil {
		return pop3.DropListing{}, err
	}
	l, ok := popwire.ParseDropListing(string(text))
	if !ok {
		return l, &pop3.ProtocolError{Want: "the number of messages and their octets from STAT", Got: popwire.Shorten(text)}
	}
	return l, nil
}
