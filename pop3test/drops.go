package pop3test

import (
	"context"
	"sync"

	"postfach/maildrop"
	"postfach/maildrop/memory"
)

// drops are the maildrops. Reset gives the server new ones while it runs.
type drops struct {
	mu    sync.Mutex // guards store
	store *memory.Store
}

func newDrops() *drops {
	d := new(drops)
	d.empty()
	return d
}

// empty begins again. Sessions that are open keep the old maildrops.
func (d *drops) empty() {
	fresh := memory.New()
	fresh.LockWait = lockWait
	d.mu.Lock()
	defer d.mu.Unlock()
	d.store = fresh
}

func (d *drops) now() *memory.Store {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.store
}

// Open implements maildrop.Store.
func (d *drops) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	return d.now().Open(ctx, user)
}
