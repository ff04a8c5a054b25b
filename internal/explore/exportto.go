package explore

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"postfach/fetch/deliver"
	"postfach/internal/hint"
	"postfach/internal/vfs"
	"postfach/pop3"
)

// ExportTo delivers messages to a place: maildir:FOLDER, mbox:FILE, dir:FOLDER
// (one .eml each) or zip:FILE, durably. "~/" is the home folder. What is there
// already is not written again, whether it came from here or from postfach get; n
// counts what was. zip:FILE is a new file, ErrExists if it is none, whole or not
// there at all.
//
// progress, if not nil, hears how many are done. A message that the server
// refuses does not keep the others from being written, save with zip:FILE.
func (e *Explorer) ExportTo(ctx context.Context, spec string, keys []Key, progress func(done int)) (n int, err error) {
	kind, name, _ := strings.Cut(spec, ":")
	name = home(name)
	if kind == "zip" && name != "" {
		return e.exportZip(ctx, name, keys, progress)
	}
	target, err := deliver.Open(vfs.OS{}, kind+":"+name)
	switch {
	case errors.Is(err, deliver.ErrSpec):
		return 0, hint.Add(ErrSpec, "for example maildir:~/Mail or zip:mail.zip")
	case errors.Is(err, deliver.ErrLocked):
		return 0, hint.Add(err, "wait until the other postfach is done")
	case errors.Is(err, fs.ErrPermission):
		return 0, hint.Add(err, "you must be able to write there")
	case err != nil:
		return 0, err
	}
	d := &delivery{e: e, target: target, account: e.account(), met: make(map[deliver.Record]int)}
	err = d.run(ctx, keys, progress)
	return d.written, errors.Join(err, target.Close())
}

// ErrSpec: ExportTo does not know such a place.
var ErrSpec = errors.New("want maildir:FOLDER, mbox:FILE, dir:FOLDER or zip:FILE")

func (e *Explorer) exportZip(ctx context.Context, name string, keys []Key, progress func(int)) (n int, err error) {
	err = newFile(vfs.OS{}, name, func(w io.Writer) error {
		return e.archive(ctx, zip.NewWriter(w), keys, progress, newFileNames().file)
	})
	if err != nil {
		return 0, err
	}
	return len(keys), nil
}

// A delivery is one ExportTo.
type delivery struct {
	e       *Explorer
	target  deliver.Target
	account Account
	met     map[deliver.Record]int // how often this run met this content under this key
	written int

	refused  []error // of some messages
	refusals int
}

// maxRefused is how many refusals an error tells of.
const maxRefused = 5

func (d *delivery) run(ctx context.Context, keys []Key, progress func(int)) error {
	for i, k := range keys {
		err := d.one(ctx, k)
		var no *pop3.Error
		alone := errors.Is(err, ErrGone) || errors.As(err, &no) && d.e.Status().State == Held
		switch {
		case err == nil:
		case !alone:
			return errors.Join(append(d.refused, d.e.naming(k, err))...)
		default:
			if d.refusals++; d.refusals <= maxRefused {
				d.refused = append(d.refused, d.e.naming(k, err))
			}
		}
		if progress != nil {
			progress(i + 1)
		}
	}
	if d.refusals == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d messages could not be had:\n%w", d.refusals, len(keys), errors.Join(d.refused...))
}

// one delivers a message, unless the target has it.
func (d *delivery) one(ctx context.Context, k Key) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entry, listed := d.e.Entry(k)
	if listed && !k.bound() && d.known(entry) {
		return nil
	}
	c, err := d.e.whole(ctx, k)
	if err != nil {
		return err
	}
	defer c.release()
	// By now there is a list.
	entry, listed = d.e.Entry(k)
	if !listed {
		return ErrGone
	}
	stored := false
	content := deliver.NewContentHash()
	err = d.target.Deliver(ctx, io.TeeReader(interruptible{ctx, c.reader()}, content), func() (deliver.Record, bool) {
		rec := deliver.Record{Key: d.key(entry.ID), Announced: entry.Size, Content: content.String()}
		stored = !d.had(rec)
		return rec, stored
	})
	if err == nil && stored {
		d.written++
	}
	return err
}

// key is what postfach get has for the message: by account and unique-id. All
// messages without one share a key, and are told apart by their content.
func (d *delivery) key(id pop3.UniqueID) string {
	return deliver.Key(strings.ToLower(d.account.Host), d.account.User, string(id))
}

// known reports whether the target has the message, as far as one can tell
// without reading it: it has a unique-id that no other message has.
func (d *delivery) known(entry Entry) bool {
	for _, have := range d.target.Records(d.key(entry.ID)) {
		if have.Announced == entry.Size {
			return true
		}
	}
	return false
}

// had reports whether the target had this message before it came now. Two copies
// with one key and one content are two messages: as many are kept as were chosen.
func (d *delivery) had(rec deliver.Record) bool {
	rec.Announced = 0 // servers that estimate sizes change their minds
	d.met[rec]++
	had := 0
	for _, have := range d.target.Records(rec.Key) {
		if have.Content == rec.Content {
			had++
		}
	}
	return had >= d.met[rec]
}
