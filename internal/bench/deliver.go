package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"postfach/pop3"
)

// A drop is what is known of an account's maildrop. One worker owns it, and the
// deliveries own what they count.
type drop struct {
	stat      pop3.DropListing
	seen      map[string]bool // unique-ids; true: it was deleted
	got       int             // messages that came while the run was measured
	delivered int             // of the deliveries
}

// deliveries puts messages into random Maildirs at a rate, until stop is called.
func (r *run) deliveries(ctx context.Context) (stop func() error, err error) {
	owners := make([]*[2]int, r.Users)
	for i := range owners {
		if owners[i], err = ownerOf(filepath.Join(r.Maildirs, UserName(r.Target.User, i+1), "new")); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- r.deliverAtRate(ctx, owners) }()
	return func() error {
		cancel()
		return <-done
	}, nil
}

func (r *run) deliverAtRate(ctx context.Context, owners []*[2]int) error {
	if r.Rate <= 0 {
		return nil
	}
	m := &maker{messages: Messages{Seed: uint64(os.Getpid())}}
	wait := time.NewTimer(0)
	defer wait.Stop()
	started := time.Now()
	for n := 1; ; n++ {
		due := started.Add(time.Duration(float64(n) / r.Rate * float64(time.Second)))
		wait.Reset(time.Until(due))
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		account := rand.IntN(r.Users)
		dir := filepath.Join(r.Maildirs, UserName(r.Target.User, account+1))
		if err := m.deliver(dir, "new", n, r.Size, owners[account]); err != nil {
			r.cancel()
			return fmt.Errorf("deliver: %w", err)
		}
		r.drops[account].delivered++
		r.delivered++
	}
}

// deliver puts a message into a Maildir as mail servers do: written in tmp, then
// renamed into new, or into cur as one that a server has seen.
func (m *maker) deliver(dir, folder string, number, size int, owner *[2]int) error {
	m.wire = m.messages.Append(m.wire[:0], number, size)
	m.file = stored(m.file, m.wire)
	now := time.Now()
	name := fmt.Sprintf("%d.M%06dP%dQ%d.bench", now.Unix(), now.Nanosecond()/1000, os.Getpid(), number)
	tmp := filepath.Join(dir, "tmp", name)
	if err := os.WriteFile(tmp, m.file, 0o600); err != nil {
		return err
	}
	if owner != nil {
		if err := os.Lchown(tmp, owner[0], owner[1]); err != nil {
			return err
		}
	}
	if folder == "cur" {
		name += ":2,"
	}
	return os.Rename(tmp, filepath.Join(dir, folder, name))
}
