// Package fetch gets mail from a POP3 maildrop into a deliver.Target, once:
// each message is durable at home before the server is told to delete it, and
// a run that was interrupted at any point neither loses a message nor delivers
// one twice when it is repeated. The target is the only record; see package
// deliver.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"

	"postfach/fetch/deliver"
	"postfach/pop3"
	"postfach/pop3client"
)

// Options say what a run does. The zero value leaves all mail on the server.
type Options struct {
	// Host and User name the account: unique-ids mean something only there
	// (P3-UIDL-11). Use the name that a person gave, for good.
	Host, User string
	// Delete deletes messages from the server that are durable in the target,
	// those of earlier runs included.
	Delete bool
	// Report, if not nil, hears what happens, when it has happened. It may be
	// called from other goroutines while Get runs, but by one at a time.
	Report func(Event)
	// Flush, if not nil, is called when Report has told all that is known for
	// now: what it has kept back can be shown. It is not called while Report
	// is, and neither is Progress.
	Flush func()
	// Progress, if not nil, hears how many more octets have come.
	Progress func(octets int)
}

// A Result says what a run has done.
type Result struct {
	Listed  int   // messages in the maildrop
	Known   int   // the target had them already
	Fetched int   // delivered now, durably
	Octets  int64 // of those
	Failed  int   // neither known nor fetched
	Deleted int   // the server has marked them as deleted
	// NotDeleted are those that it refused to mark: they stay, and the next
	// run tries again.
	NotDeleted int
	// Quit is why Deleted may not have come true: an answer to QUIT that is an
	// error, or none (P3-UPD-07). The next run finds out. With ErrNoQuit there
	// was no QUIT.
	Quit error
}

// ErrNoQuit ends a run without QUIT, and with nothing deleted: a message that was
// retrieved is not at home, and with QUIT the server may remove it (P3-CAPA-14).
var ErrNoQuit = errors.New("left without QUIT, with which the server may remove what failed here (EXPIRE 0); nothing was deleted")

// maxFailures ends a run after so many deliveries in a row that failed: a full
// disk does not get better with the next message.
const maxFailures = 3

// Get fetches what the target does not have, on a connection that is logged
// in, and ends the session with QUIT, or without it where QUIT could cost a
// message: see ErrNoQuit. An error means that the run broke off; the Result says
// how far it came. Messages that failed alone are counted in the Result, and
// reported. The caller closes the Client and the Target.
func Get(ctx context.Context, c *pop3client.Client, target deliver.Target, o Options) (Result, error) {
	r := &run{c: c, target: target, o: o}
	messages, err := r.list(ctx)
	if err != nil {
		return r.result, err
	}
	r.result.Listed = len(messages)
	r.plan(messages)
	if err := r.retrieve(ctx); err != nil {
		return r.result, err
	}
	if r.err != nil && c.Expires0() {
		return r.leave(), nil
	}
	if o.Delete {
		if err := r.delete(ctx); err != nil {
			return r.result, err
		}
	}
	return r.result, r.quit(ctx)
}

// A run is one call of Get.
type run struct {
	c      *pop3client.Client
	target deliver.Target
	o      Options

	wanted []message
	seen   map[deliver.Record]int // how often the run met this content under a key that several have
	comes  tee                    // the message that comes

	mu     sync.Mutex // guards what follows, and calls of Report, Flush and Progress
	result Result
	safe   []int // numbers of messages that the target holds durably
	inRow  int   // deliveries that failed since the last one that did not
	err    error // of the last one that failed; with it something was retrieved and is not at home
}

// retrieve fetches and delivers. What has come whole before it breaks off is
// delivered all the same.
func (r *run) retrieve(ctx context.Context) error {
	var b *batcher // nil: the target makes each message durable by itself
	if stager, ok := r.target.(deliver.Stager); ok {
		b = newBatcher(stager, r.batch)
		r.c.BeforeWait(b.hurry)
		defer r.c.BeforeWait(nil)
	}
	err := r.receive(ctx, b)
	if b != nil {
		b.close()
	}
	if err == nil {
		err = r.hopeless()
	}
	return err
}

// receive asks for the messages and takes them as they come.
func (r *run) receive(ctx context.Context, b *batcher) error {
	numbers := make([]int, len(r.wanted))
	var octets int64
	for i, m := range r.wanted {
		numbers[i] = m.number
		octets += max(m.announced, 0)
	}
	r.result.Failed = len(numbers)
	r.report(Event{Kind: Planned, Messages: len(numbers), Octets: octets})
	r.seen = make(map[deliver.Record]int)
	r.comes = tee{hash: deliver.NewContentHash(), progress: r.progress}
	i := 0
	for body, err := range r.c.RetrAll(ctx, numbers) {
		m := r.wanted[i]
		i++
		var no *pop3.Error
		switch {
		case errors.As(err, &no):
			r.report(Event{Kind: Failed, Number: m.number, ID: m.id, Err: err})
			continue
		case err != nil:
			return err
		}
		err = r.store(ctx, b, m, body)
		if _, broken := body.Read(nil); broken != nil && !errors.Is(broken, io.EOF) {
			return broken // the connection, inside the message
		}
		if err != nil {
			r.delivered(parcel{message: m}, err)
		}
		if err := r.hopeless(); err != nil {
			return err
		}
	}
	return nil
}

// store takes one message to the target, unless that turns out to have it.
// delivered hears of it once it is durable.
func (r *run) store(ctx context.Context, b *batcher, m message, body io.Reader) (err error) {
	t := &r.comes
	t.begin(body)
	known := false
	record := func() (deliver.Record, bool) {
		rec := deliver.Record{Key: m.key, Announced: m.announced, Content: t.hash.String()}
		known = r.met(m, rec)
		return rec, !known
	}
	p := parcel{message: m}
	if b == nil {
		err = r.target.Deliver(ctx, t, record)
	} else {
		p.staged, err = b.target.Stage(ctx, t, record)
		if t.octets == 0 && (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) {
			b.lack()
			p.staged, err = b.target.Stage(ctx, t, record)
		}
	}
	if err != nil {
		return err
	}
	p.octets = t.octets
	if m.announced >= 0 && t.octets != m.announced {
		r.report(Event{Kind: SizeDiffers, Number: m.number, ID: m.id, Octets: t.octets, Announced: m.announced})
	}
	switch {
	case known:
		r.foundThere(m)
	case b == nil:
		r.delivered(p, nil)
	default:
		b.put(p)
	}
	return nil
}

// batch notes how the deliveries of a batch ended.
func (r *run) batch(batch []parcel, errs []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, p := range batch {
		r.note(p, errs[i])
	}
	r.flush()
}

// delivered notes how one delivery ended.
func (r *run) delivered(p parcel, err error) { r.batch([]parcel{p}, []error{err}) }

// note notes that a message is durable in the target, or why it is not. The lock
// is held.
func (r *run) note(p parcel, err error) {
	if err != nil {
		r.inRow++
		r.err = err
		r.tell(Event{Kind: Failed, Number: p.number, ID: p.id, Err: err})
		return
	}
	r.inRow = 0
	r.result.Failed--
	r.result.Fetched++
	r.result.Octets += p.octets
	r.safe = append(r.safe, p.number)
	r.tell(Event{Kind: Fetched, Number: p.number, ID: p.id, Octets: p.octets})
}

// foundThere notes that the target had a message durably before the run began.
func (r *run) foundThere(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inRow = 0
	r.result.Failed--
	r.result.Known++
	r.safe = append(r.safe, m.number)
	r.tell(Event{Kind: Known, Number: m.number, ID: m.id})
	r.flush()
}

// hopeless says why the run should end.
func (r *run) hopeless() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inRow < maxFailures {
		return nil
	}
	return fmt.Errorf("%d deliveries in a row failed: %w", r.inRow, r.err)
}

// met reports whether the target had this message before the run. Two copies
// with one key and one content are two messages: as many are kept as the
// maildrop holds (P3-UIDL-10). It makes no difference how many of this run's are
// in the target already: they are fewer than were seen.
func (r *run) met(m message, rec deliver.Record) bool {
	rec.Announced = 0 // servers that estimate sizes change their minds
	seen, had := 1, 0
	if !m.alone {
		r.seen[rec]++
		seen = r.seen[rec]
	}
	for _, have := range r.target.Records(rec.Key) {
		if have.Content == rec.Content {
			had++
		}
	}
	return had >= seen
}

// delete marks what is safe. No DELE is sent before all messages are durable,
// so none stands behind a RETR that is not (P3-RETR-04, P3-PIPE-07). Numbers
// are of this session only.
func (r *run) delete(ctx context.Context) error {
	slices.Sort(r.safe)
	for n, err := range r.c.DeleAll(ctx, r.safe) {
		var no *pop3.Error
		switch {
		case err == nil:
			r.result.Deleted++
			r.report(Event{Kind: Deleted, Number: n})
		case errors.As(err, &no):
			r.result.NotDeleted++
			r.report(Event{Kind: NotDeleted, Number: n, Err: err})
		default:
			return err
		}
	}
	return nil
}

// leave ends the session without QUIT. No DELE was sent: it would be for nothing.
func (r *run) leave() Result {
	r.c.Close()
	r.result.Quit = ErrNoQuit
	r.report(Event{Kind: Warning, Text: ErrNoQuit.Error()})
	return r.result
}

// quit ends the session. Without deletions nothing depends on the answer.
func (r *run) quit(ctx context.Context) error {
	err := r.c.Quit(ctx)
	if err == nil || r.result.Deleted == 0 {
		return nil
	}
	r.result.Quit = err
	return nil
}

// tee hashes and counts what is read.
type tee struct {
	r        io.Reader
	hash     deliver.ContentHash
	octets   int64
	progress func(int)
}

// begin makes it one of another message.
func (t *tee) begin(r io.Reader) {
	t.r, t.octets = r, 0
	t.hash.Reset()
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.hash.Write(p[:n])
	t.octets += int64(n)
	if n > 0 {
		t.progress(n)
	}
	return n, err
}
