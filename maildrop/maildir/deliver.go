package maildir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"postfach/internal/popwire"
	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/pop3"
)

// Deliver implements maildrop.Deliverer: written to tmp/, synced, linked into
// new/, the folder synced, so that no reader ever sees a part and no crash
// loses what was acknowledged.
//
// On an error nothing of the message stays, with one exception, that the error
// then names: the disk refuses to make the message durable, and also to remove
// it again. Whoever tries again may then deliver twice, and loses nothing.
func (s *Store) Deliver(ctx context.Context, user string, msg io.Reader) (pop3.UniqueID, error) {
	root, err := s.root(user)
	var in incoming
	if err == nil {
		in, err = s.incoming(root)
	}
	if errors.Is(err, maildrop.ErrNoUser) && root != "" {
		if err = s.provide(root); err == nil {
			in, err = s.incoming(root)
		}
	}
	if err != nil {
		return "", fmt.Errorf("deliver to %q: %w", user, err)
	}
	defer in.close()
	base := s.newBase()
	hints, err := in.write(ctx, base, msg)
	if err == nil {
		s.sweep(ctx, root, in.tmp, base)
		err = in.publish(base, base+hints)
	}
	if err != nil {
		in.tmp.Remove(base)
		return "", fmt.Errorf("deliver to %q: %w", user, err)
	}
	return pop3.UniqueID(base), nil
}

// write writes the message to a file of its own in tmp/, durably, and returns what the
// file's name shall say about it.
func (in incoming) write(ctx context.Context, base string, msg io.Reader) (hints string, err error) {
	f, err := in.tmp.Create(base, 0o600)
	if err != nil {
		return "", err
	}
	var wire popwire.Counter
	length, err := copyMessage(ctx, io.MultiWriter(f, &wire), msg)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return fmt.Sprintf(",S=%d,W=%d", length, wire.Size()), nil
}

// copyMessage is io.Copy that can be cancelled.
func copyMessage(ctx context.Context, w io.Writer, msg io.Reader) (length int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return length, err
		}
		n, readErr := msg.Read(buf)
		length += int64(n)
		if _, err := w.Write(buf[:n]); err != nil {
			return length, err
		}
		if errors.Is(readErr, io.EOF) {
			return length, ctx.Err()
		}
		if readErr != nil {
			return length, readErr
		}
	}
}

// publish gives the message its name in new/.
func (in incoming) publish(base, name string) error {
	if err := moveTo(in.tmp, base, in.fresh, name); err != nil {
		return err
	}
	err := in.fresh.Sync()
	if err == nil {
		return nil
	}
	undo := in.fresh.Remove(name)
	if undo == nil {
		undo = in.fresh.Sync()
	}
	if undo != nil {
		return fmt.Errorf("%w; the message may still appear: %w", err, undo)
	}
	return err
}

// moveTo moves a file without ever replacing one: a link fails where a rename
// would not. Some file systems have no links; there, it looks first.
func moveTo(from vfs.Folder, oldname string, to vfs.Folder, newname string) error {
	err := from.Link(oldname, to, newname)
	switch {
	case err == nil:
		// The file has its name. A second one in tmp/ is rubbish, not an error.
		from.Remove(oldname)
		return nil
	case !noLinks(err):
		return err
	}
	_, err = to.Lstat(newname)
	switch {
	case err == nil:
		return &fs.PathError{Op: "rename", Path: newname, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return from.Rename(oldname, to, newname)
}

// noLinks reports whether err is what file systems say that have no links.
func noLinks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission)
}

// A clock gives names their time and number.
type clock struct {
	last  int64 // microseconds
	count int64
}

// tick returns a time later than all before, so that of two messages the later
// one gets the higher number, and how often it was asked.
func (c *clock) tick(now time.Time) (micros, count int64) {
	c.last = max(c.last+1, now.UnixMicro())
	c.count++
	return c.last, c.count
}

// newBase returns the base of a name that no other message has or will have
// (P3-UIDL-06): time, process, number, and 64 random bits for the rest.
func (s *Store) newBase() string {
	s.mu.Lock()
	micros, count := s.clock.tick(time.Now())
	s.mu.Unlock()
	var random [8]byte
	rand.Read(random[:]) // never fails
	base := fmt.Sprintf("%d.M%06dP%dQ%dR%s.", micros/1e6, micros%1e6, os.Getpid(), count,
		strings.ToLower(hex.EncodeToString(random[:])))
	return base + s.hostPart(pop3.MaxUniqueID-len(base))
}

// hostPart returns what of the host's name can be in a file name and in a
// unique-id, and fits.
func (s *Store) hostPart(most int) string {
	host := strings.Map(func(r rune) rune {
		if r > 0x20 && r < 0x7f && !strings.ContainsRune(`/\:,`, r) {
			return r
		}
		return '-'
	}, s.Hostname)
	if host == "" {
		host = "localhost"
	}
	return host[:min(len(host), max(most, 0))]
}
