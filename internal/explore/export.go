package explore

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"postfach/fetch/deliver"
	"postfach/internal/hint"
	"postfach/internal/message"
)

// A Format is a form of export in one stream.
type Format string

// The formats.
const (
	EML     Format = "eml" // one message as it is
	Mbox    Format = "mbox"
	Zip     Format = "zip"     // an .eml file for each message
	Maildir Format = "maildir" // a zip file that holds a Maildir
)

// ErrFormat: there is no such Format, or it does not fit.
var ErrFormat = errors.New("want eml for one message, mbox, zip or maildir")

// Export writes messages to w in this format, one after the other, in the order
// of keys. progress, if not nil, hears how many are done. An error names the
// message that it is about. By then those before it have been written whole, and
// nothing of it; a zip lacks its end, so that it cannot be taken for complete.
func (e *Explorer) Export(ctx context.Context, w io.Writer, f Format, keys []Key, progress func(done int)) error {
	switch {
	case f == EML && len(keys) == 1:
		return e.each(ctx, keys, progress, func(m exported) error { return m.copyTo(w) })
	case f == Mbox:
		return e.each(ctx, keys, progress, func(m exported) error { return m.writeMbox(w) })
	case f == Zip:
		return e.archive(ctx, zip.NewWriter(w), keys, progress, newFileNames().file)
	case f == Maildir:
		z := zip.NewWriter(w)
		for _, folder := range []string{"tmp", "new", "cur"} {
			if _, err := z.Create("Maildir/" + folder + "/"); err != nil {
				return err
			}
		}
		return e.archive(ctx, z, keys, progress, exported.maildirName)
	}
	return hint.Add(ErrFormat, "eml holds one message, the others any number")
}

// An exported is a message on its way out.
type exported struct {
	*content
	ctx     context.Context
	place   int // in the export, from 1
	number  int // in the maildrop; place when that is not known
	summary message.Summary
	date    time.Time // the message's, or now when that cannot be true
}

// each gets the messages one after the other and hands each to write when it is
// there, whole.
func (e *Explorer) each(ctx context.Context, keys []Key, progress func(int), write func(exported) error) error {
	for i, k := range keys {
		c, err := e.whole(ctx, k)
		if err == nil {
			entry, _ := e.Entry(k)
			err = write(newExported(ctx, c, i+1, entry.Number))
			c.release()
		}
		if err != nil {
			return e.naming(k, err)
		}
		if progress != nil {
			progress(i + 1)
		}
	}
	return nil
}

// whole is a message for a short use: it pushes none out of those that a person
// goes back to.
func (e *Explorer) whole(ctx context.Context, k Key) (*content, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if c := e.stored.find(k, e.announced); c != nil {
		return c, nil
	}
	size, _ := e.announced(k)
	return e.load(ctx, k, size)
}

// naming says of which message an error is.
func (e *Explorer) naming(k Key, err error) error {
	entry, ok := e.Entry(k)
	if !ok {
		return fmt.Errorf("a message that was in the list: %w", err)
	}
	name := "a message" // numbers mean nothing when Away
	if entry.Number > 0 {
		name = fmt.Sprintf("message %d", entry.Number)
	}
	if entry.Summary.Subject != "" {
		name += fmt.Sprintf(", %q", entry.Summary.Subject)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// summaryOctets is how much of a message is read for its summary.
const summaryOctets = 64 << 10

func newExported(ctx context.Context, c *content, place, number int) exported {
	head := make([]byte, min(summaryOctets, c.size))
	if readFull(c, head, 0) != nil {
		head = nil // who copies the message hears of it
	}
	m := exported{content: c, ctx: ctx, place: place, number: cmp.Or(number, place), summary: message.ReadSummary(head)}
	now := time.Now()
	m.date = m.summary.Date
	if m.date.Unix() <= 0 || m.date.After(now) {
		m.date = now
	}
	return m
}

func (m exported) copyTo(w io.Writer) error {
	_, err := io.Copy(w, interruptible{m.ctx, m.reader()})
	return err
}

// writeMbox writes the message behind a separator, as mboxrd has it.
func (m exported) writeMbox(w io.Writer) error {
	sender := m.summary.Address
	if sender == "" || len(sender) > 254 || strings.ContainsFunc(sender, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || !unicode.IsPrint(r) }) {
		sender = "MAILER-DAEMON"
	}
	if _, err := fmt.Fprintf(w, "From %s %s\n", sender, m.date.UTC().Format(time.ANSIC)); err != nil {
		return err
	}
	t := &lastOctet{w: w}
	if _, err := io.Copy(t, deliver.Quote(interruptible{m.ctx, m.reader()})); err != nil {
		return err
	}
	end := "\n"
	if t.last != '\n' && t.last != 0 {
		end = "\n\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

// A lastOctet knows the last octet that was written.
type lastOctet struct {
	w    io.Writer
	last byte
}

// Write implements io.Writer.
func (t *lastOctet) Write(p []byte) (int, error) {
	if len(p) > 0 {
		t.last = p[len(p)-1]
	}
	return t.w.Write(p)
}

// archive writes a file for each message into z, and completes it.
func (e *Explorer) archive(ctx context.Context, z *zip.Writer, keys []Key, progress func(int), name func(exported) string) error {
	err := e.each(ctx, keys, progress, func(m exported) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name(m), Method: zip.Deflate, Modified: m.date})
		if err != nil {
			return err
		}
		return m.copyTo(f)
	})
	if err != nil {
		return err
	}
	return z.Close()
}

// maildirName is the message's file in an archived Maildir, where no other has
// the same.
func (m exported) maildirName() string {
	return fmt.Sprintf("Maildir/new/%d.M%dP%d.postfach,S=%d", m.date.Unix(), m.date.Nanosecond()/1000, m.place, m.size)
}
