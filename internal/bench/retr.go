package bench

import (
	"context"
	"fmt"
	"time"
)

// retrSession fetches all messages of a maildrop.
func retrSession(ctx context.Context, w *worker, user string, account int) error {
	return w.allMessages(ctx, user, account, func(c *conn, sizes []int64) train {
		known := w.sums.of(account, "RETR", len(sizes))
		return train{
			command: func(dst []byte, i int) []byte { return appendCommand(dst, "RETR", i+1) },
			reply: func(i int) error {
				got, err := c.message("RETR", i+1)
				if err != nil {
					return err
				}
				w.octets += got.size
				if got.size != sizes[i] {
					w.mistakes.add(user, "message %d has %d octets, LIST says %d", i+1, got.size, sizes[i])
				}
				w.judge(user, "RETR", i+1, got.whole(), same(&known[i], got.digest()))
				return nil
			},
		}
	})
}

// allMessages is a session with a train of commands, one for each message.
func (w *worker) allMessages(ctx context.Context, user string, account int, commands func(*conn, []int64) train) error {
	started := time.Now()
	c, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer w.close(c)
	if err := c.login(user, w.Target.Password); err != nil {
		return err
	}
	sizes, err := w.readSizes(c)
	if err != nil {
		return err
	}
	if len(sizes) == 0 {
		w.mistakes.add(user, "the maildrop is empty")
	}
	t := commands(c, sizes)
	t.n, t.window, t.stop = len(sizes), w.Window, w.late
	first := time.Now()
	n, err := c.run(t)
	w.messages += int64(n)
	if err != nil {
		return err
	}
	w.took("messages", time.Since(first))
	answered, err := c.quit()
	w.took(session, answered.Sub(started))
	return err
}

// message reads the reply to a command for one message.
func (c *conn) message(keyword string, number int) (octetSum, error) {
	line, err := c.line()
	if err == nil && !isOK(line) {
		err = refusal(line)
	}
	if err != nil {
		return octetSum{}, fmt.Errorf("%s %d: %w", keyword, number, err)
	}
	got, err := c.body()
	if err != nil {
		return got, fmt.Errorf("%s %d: %w", keyword, number, err)
	}
	return got, nil
}

// judge counts a message whose content is not right: not what its own checksum says,
// or not what it was when it was read before.
func (w *worker) judge(user, keyword string, number int, v verdict, asBefore bool) {
	switch {
	case v == wrong:
		w.mistakes.add(user, "%s %d: the octets are not those that were stored: the checksum differs", keyword, number)
	case !asBefore:
		w.mistakes.add(user, "%s %d: the octets are not those of an earlier session", keyword, number)
	}
}
