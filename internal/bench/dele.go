package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// deleSession fills the account's Maildir, deletes so many messages, and measures QUIT.
// It deletes only in a Maildir that holds nothing but messages made here.
func deleSession(ctx context.Context, w *worker, user string, account int) error {
	dir := filepath.Join(w.Maildirs, user)
	before, err := w.fill(dir, account)
	if err != nil {
		return err
	}
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
	if stat.Count != before {
		return fmt.Errorf("the maildrop has %d messages, %s has %d: nothing is deleted", stat.Count, dir, before)
	}
	marked := time.Now()
	n, err := c.run(train{
		n: w.Messages, window: w.Window,
		command: func(dst []byte, i int) []byte { return appendCommand(dst, "DELE", i+1) },
		reply: func(i int) error {
			_, err := c.reply("DELE")
			return err
		},
	})
	if err != nil {
		return err
	}
	w.took("dele", time.Since(marked))
	asked := time.Now()
	answered, err := c.quit()
	if err != nil {
		return err
	}
	w.took("quit", answered.Sub(asked))
	w.messages += int64(n)
	if after, err := countMade(dir); err != nil {
		return err
	} else if after != before-n {
		w.mistakes.add(user, "of %d messages %d were deleted, and %d are left", before, n, after)
	}
	return nil
}

// errForeign: a Maildir holds mail that was not made here.
var errForeign = errors.New("holds mail that postfach bench has not made: nothing is deleted there")

// fill puts the messages into a Maildir that are to be deleted, and returns how many
// it has then. They are on the disk: what QUIT syncs is its own work.
func (w *worker) fill(dir string, account int) (n int, err error) {
	if _, err := countMade(dir); err != nil {
		return 0, err
	}
	owner, err := ownerOf(dir)
	if err != nil {
		return 0, err
	}
	m := &maker{messages: Messages{Seed: uint64(account)}}
	for number := 1; number <= w.Messages; number++ {
		if err := m.deliver(dir, "cur", number, w.Size, owner); err != nil {
			return 0, err
		}
	}
	syncAll()
	return countMade(dir)
}

// countMade counts the messages in a Maildir, all of which must have been made here.
func countMade(dir string) (n int, err error) {
	for _, sub := range []string{"new", "cur"} {
		f, err := os.Open(filepath.Join(dir, sub))
		if err != nil {
			return 0, err
		}
		names, err := f.Readdirnames(-1)
		f.Close()
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			if strings.HasPrefix(name, ".") {
				continue
			}
			if !madeHere(name) {
				return 0, fmt.Errorf("%s %w", dir, errForeign)
			}
			n++
		}
	}
	return n, nil
}
