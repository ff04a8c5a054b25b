package bench

import (
	"context"
	"time"
)

// usersSession is what a client does that leaves mail on the server: STAT, UIDL, and
// LIST and RETR of what is new. With Delete it deletes what it has fetched, if it was
// made here. In the warm-up it takes what is there for known.
func usersSession(ctx context.Context, w *worker, user string, account int) error {
	started := time.Now()
	c, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer w.close(c)
	if err := c.login(user, w.Target.Password); err != nil {
		return err
	}
	stat, err := c.stat()
	if err != nil {
		return err
	}
	if stat.Count > 0 {
		if err := w.fetchNew(c, user, account); err != nil {
			return err
		}
	}
	answered, err := c.quit()
	w.took(session, answered.Sub(started))
	return err
}

// A newMessage is one that was not there in the session before.
type newMessage struct {
	number int
	id     string
	delete bool
}

func (w *worker) fetchNew(c *conn, user string, account int) (err error) {
	d := &w.drops[account-1]
	if d.seen == nil {
		d.seen = make(map[string]bool)
	}
	var fresh []newMessage
	number := 0
	if w.lines, err = c.listing("UIDL", w.lines); err != nil {
		return err
	}
	if _, err := parseIDs(w.lines, func(id []byte) {
		number++
		deleted, known := d.seen[string(id)]
		if !known {
			fresh = append(fresh, newMessage{number: number, id: string(id)})
		} else if deleted {
			w.mistakes.add(user, "message %q was deleted, and is there again", id)
		}
	}); err != nil {
		return err
	}
	if w.phase.Load() == warming {
		for _, m := range fresh {
			d.seen[m.id] = false
		}
		return nil
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := w.fetch(c, user, fresh); err != nil {
		return err
	}
	if err := w.deleteFetched(c, fresh); err != nil {
		return err
	}
	for _, m := range fresh {
		d.seen[m.id] = m.delete
	}
	d.got += len(fresh)
	return nil
}

// fetch reads messages, and says of each whether it may be deleted.
func (w *worker) fetch(c *conn, user string, fresh []newMessage) error {
	sizes, err := w.readSizes(c)
	if err != nil {
		return err
	}
	_, err = c.run(train{
		n: len(fresh), window: w.Window,
		command: func(dst []byte, i int) []byte { return appendCommand(dst, "RETR", fresh[i].number) },
		reply: func(i int) error {
			m := &fresh[i]
			got, err := c.message("RETR", m.number)
			if err != nil {
				return err
			}
			w.octets += got.size
			w.messages++
			if m.number > len(sizes) || got.size != sizes[m.number-1] {
				w.mistakes.add(user, "message %d has %d octets, which is not what LIST says", m.number, got.size)
			}
			w.judge(user, "RETR", m.number, got.whole(), true)
			m.delete = w.Delete && got.whole() == right
			return nil
		},
	})
	return err
}

// deleteFetched marks what fetch allows.
func (w *worker) deleteFetched(c *conn, fresh []newMessage) error {
	var marked []int
	for _, m := range fresh {
		if m.delete {
			marked = append(marked, m.number)
		}
	}
	_, err := c.run(train{
		n: len(marked), window: w.Window,
		command: func(dst []byte, i int) []byte { return appendCommand(dst, "DELE", marked[i]) },
		reply: func(int) error {
			_, err := c.reply("DELE")
			return err
		},
	})
	return err
}

// catchUp makes one more session with each maildrop, after the deliveries, and compares
// what was delivered with what came.
func (r *run) catchUp(ctx context.Context, workers []*worker) {
	each(workers, func(w *worker) {
		for range w.accounts {
			if ctx.Err() == nil {
				w.once(ctx)
			}
		}
	})
	if ctx.Err() != nil {
		return
	}
	for i := range r.drops {
		if d := &r.drops[i]; d.got != d.delivered {
			r.mistakes.add(UserName(r.Target.User, i+1), "%d messages were delivered, %d came", d.delivered, d.got)
		}
	}
}
