package bench

import (
	"context"
	"hash/crc32"
	"time"
)

// listSession measures the time to the end of each reply that a client waits for before
// it can fetch: of PASS, STAT, LIST and UIDL, and of the four together.
func listSession(ctx context.Context, w *worker, user string, account int) error {
	c, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer w.close(c)
	if _, err := c.exchange("USER", user); err != nil {
		return err
	}
	var all time.Duration
	started := time.Now()
	lap := func(kind string) {
		t := time.Since(started)
		w.took(kind, t)
		all += t
	}
	if _, err := c.exchange("PASS", w.Target.Password); err != nil {
		return err
	}
	lap("pass")
	started = time.Now()
	stat, err := c.stat()
	if err != nil {
		return err
	}
	lap("stat")
	started = time.Now()
	if w.lines, err = c.listing("LIST", w.lines); err != nil {
		return err
	}
	lap("list")
	if w.sizes, err = parseSizes(w.lines, w.sizes); err != nil {
		return err
	}
	started = time.Now()
	if w.lines, err = c.listing("UIDL", w.lines); err != nil {
		return err
	}
	lap("uidl")
	w.took(session, all)
	n, err := parseIDs(w.lines, nil)
	if err != nil {
		return err
	}
	w.messages += int64(n)
	if len(w.sizes) != stat.Count || sum(w.sizes) != stat.Size {
		w.mistakes.add(user, "STAT says %d messages with %d octets, LIST %d with %d", stat.Count, stat.Size, len(w.sizes), sum(w.sizes))
	}
	if n != stat.Count {
		w.mistakes.add(user, "STAT says %d messages, UIDL has %d unique-ids", stat.Count, n)
	}
	if digest := crc32.Checksum(w.lines, castagnoli); !w.sums.sameIDs(account, digest) {
		w.mistakes.add(user, "UIDL is not what it was in an earlier session")
	} else if n > 0 && !w.distinct(account) {
		w.mistakes.add(user, "two messages have the same unique-id")
	}
	_, err = c.quit()
	return err
}

// distinct reports whether the unique-ids in w.lines differ. Once for each account is
// enough, because they stay the same.
func (w *worker) distinct(account int) bool {
	if !w.sums.first(account) {
		return true
	}
	seen := make(map[string]bool)
	n, _ := parseIDs(w.lines, func(id []byte) { seen[string(id)] = true })
	return len(seen) == n
}
