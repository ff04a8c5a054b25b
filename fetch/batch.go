package fetch

import (
	"sync"

	"postfach/fetch/deliver"
)

// What may wait to become durable. As much again may be on its way to the disk:
// one batch is synced while the next one comes.
const (
	// maxBatch is in messages, each of which is an open file until then. Where
	// files may not be open, it is less.
	maxBatch = 128
	// maxBatchOctets is for a batch of more than one message. It is about what
	// a disk writes in a tenth of a second, so that nobody waits long to see
	// mail that has come.
	maxBatchOctets = 16 << 20
)

// A parcel is a message that has come and is not durable yet.
type parcel struct {
	message
	octets int64
	staged *deliver.Staged
}

// A batcher makes parcels durable on a goroutine of its own, while others still
// come. A batch is what came together, and what came while the one before was
// synced: with a slow server each message is durable as soon as it is here, with
// a fast one many share their syncs, and there is no time to wait for.
type batcher struct {
	target deliver.Stager
	over   sync.WaitGroup

	mu      sync.Mutex // guards what follows; never held together with that of a run
	changed sync.Cond
	waiting []parcel
	octets  int64 // of those
	most    int   // that may wait
	busy    bool  // a batch is on its way to the disk
	hurried bool  // nobody knows when more comes
	closed  bool
}

// newBatcher starts a batcher. done hears how the parcels ended, in the order of
// put. The caller closes it.
func newBatcher(target deliver.Stager, done func([]parcel, []error)) *batcher {
	b := &batcher{target: target, most: maxBatch}
	b.changed.L = &b.mu
	b.over.Go(func() {
		for batch := b.take(nil); len(batch) > 0; batch = b.take(batch) {
			done(batch, b.commit(batch))
		}
	})
	return b
}

func (b *batcher) commit(batch []parcel) []error {
	staged := make([]*deliver.Staged, len(batch))
	for i, p := range batch {
		staged[i] = p.staged
	}
	return b.target.Commit(staged)
}

// put adds a parcel, when there is room for it. Whoever puts no other one soon
// calls hurry.
func (b *batcher) put(p parcel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) >= b.most || len(b.waiting) > 0 && b.octets+p.octets > maxBatchOctets {
		b.hurried = true
		b.changed.Broadcast()
		b.changed.Wait()
	}
	b.waiting = append(b.waiting, p)
	b.octets += p.octets
}

// hurry makes durable what there is: more may be long in coming.
func (b *batcher) hurry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 && !b.hurried {
		b.hurried = true
		b.changed.Broadcast()
	}
}

// lack returns when nothing is open any more: so many files could not be. From
// now on there are fewer.
func (b *batcher) lack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.most = max(b.most/2, 1)
	for b.busy || len(b.waiting) > 0 {
		b.hurried = len(b.waiting) > 0
		b.changed.Broadcast()
		b.changed.Wait()
	}
}

// take takes all that waits, once it is time; nothing: there is no more. The
// batch before is done then, and gives its room to what comes.
func (b *batcher) take(before []parcel) (batch []parcel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = false
	b.changed.Broadcast()
	for !b.hurried && !b.closed {
		b.changed.Wait()
	}
	clear(before)
	batch, b.waiting, b.octets, b.hurried = b.waiting, before[:0], 0, false
	b.busy = len(batch) > 0
	b.changed.Broadcast()
	return batch
}

// close returns when each parcel is durable or has failed.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.changed.Broadcast()
	b.mu.Unlock()
	b.over.Wait()
}
