package deliver

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"postfach/internal/popwire"
	"postfach/internal/vfs"
)

// A maildir is a Maildir: a file a message, octets as received, with CRLF. Base
// names are
//
//	<seconds>.M<microseconds>-<record>.postfach,S=<octets>,W=<octets on the wire>
//
// which other programs keep when they move a message to cur/ and flag it.
type maildir struct {
	records
	spooler
	tmp   vfs.Lock
	fresh vfs.Folder // new/
	last  time.Time  // of the last name: names are in the order of delivery
	size  sizes      // of what comes
}

// suffix marks names that were made here.
const suffix = "postfach"

func openMaildir(fsys vfs.FS, dir string) (*maildir, error) {
	for _, sub := range []string{"", "tmp", "new", "cur"} {
		if err := vfs.MkdirAll(fsys, filepath.Join(dir, sub), folderPerm); err != nil {
			return nil, err
		}
	}
	// tmp, because a server locks the Maildir itself during a session.
	lock, err := fsys.Lock(filepath.Join(dir, "tmp"))
	if err != nil {
		return nil, err
	}
	m := &maildir{spooler: spooler{in: lock}, tmp: lock}
	if err := m.load(fsys, dir); err != nil {
		lock.Close()
		return nil, err
	}
	if m.fresh, err = fsys.OpenFolder(filepath.Join(dir, "new")); err != nil {
		lock.Close()
		return nil, err
	}
	return m, nil
}

// load learns what is there. A message that an interrupted run had renamed but
// not synced is made durable first: from now on it counts.
func (m *maildir) load(fsys vfs.FS, home string) error {
	for _, sub := range []string{"new", "cur"} {
		dir := filepath.Join(home, sub)
		if err := fsys.SyncDir(dir); err != nil {
			return err
		}
		names, err := fsys.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if r, ok := parseMaildirName(name); ok {
				m.add(r)
			}
		}
	}
	return removeAll(fsys, filepath.Join(home, "tmp"), func(name string) bool {
		return strings.HasSuffix(name, "."+suffix)
	})
}

// removeAll removes what an interrupted run left in dir.
func removeAll(fsys vfs.FS, dir string, mine func(name string) bool) error {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if mine(name) {
			if err := fsys.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Deliver implements Target.
func (m *maildir) Deliver(ctx context.Context, r io.Reader, record func() (Record, bool)) error {
	return deliverOne(ctx, m, r, record)
}

// Stage implements Stager: in tmp, where nobody looks.
func (m *maildir) Stage(ctx context.Context, r io.Reader, record func() (Record, bool)) (*Staged, error) {
	tmp := m.tmpName()
	m.size = sizes{}
	s, err := m.stage(ctx, tmp, r, &m.size, record)
	if s != nil {
		s.name = nameFor(strings.TrimSuffix(tmp, "."+suffix), s.record, m.size)
	}
	return s, err
}

// nameFor is parseMaildirName's twin.
func nameFor(stamp string, r Record, size sizes) string {
	var room [256]byte // no name may be longer
	name := append(room[:0], stamp...)
	name = append(name, '-')
	name = r.appendTo(name)
	name = append(name, "."+suffix+",S="...)
	name = strconv.AppendInt(name, size.stored, 10)
	name = append(name, ",W="...)
	return string(strconv.AppendInt(name, size.wire.Size(), 10))
}

// sizes counts what a name says.
type sizes struct {
	stored int64
	wire   popwire.Counter
}

func (s *sizes) Write(p []byte) (int, error) {
	s.stored += int64(len(p))
	return s.wire.Write(p)
}

// Commit implements Stager.
func (m *maildir) Commit(batch []*Staged) []error {
	return commit(m.tmp, m.fresh, batch, func(s *Staged) (string, error) { return s.name, nil }, m.add)
}

// tmpName returns seconds and microseconds, never the same and never less than
// before, and the suffix.
func (m *maildir) tmpName() string {
	now := time.Now().Truncate(time.Microsecond)
	if !now.After(m.last) {
		now = m.last.Add(time.Microsecond)
	}
	m.last = now
	var room [64]byte
	name := strconv.AppendInt(room[:0], now.Unix(), 10)
	name = append(name, ".M"...)
	name = strconv.AppendInt(name, int64(now.Nanosecond()/1000), 10)
	return string(append(name, "."+suffix...))
}

// parseMaildirName finds the record in a name, whatever flags it has.
func parseMaildirName(name string) (Record, bool) {
	parts := strings.SplitN(name, ".", 3)
	if len(parts) < 3 || !strings.HasPrefix(parts[2], suffix) {
		return Record{}, false
	}
	_, record, _ := strings.Cut(parts[1], "-")
	return parseRecord(record)
}

// Close implements Target.
func (m *maildir) Close() error { return errors.Join(m.fresh.Close(), m.tmp.Close()) }
