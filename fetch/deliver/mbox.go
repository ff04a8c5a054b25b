package deliver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"postfach/internal/vfs"
)

// An mbox is one file with all messages, one behind the other, in the form
// "mboxrd": each begins with a line
//
//	From <record>-<octets>-<hash of them>@postfach <date>
//
// and ends with an empty line; lines that begin with "From ", or with ">"s and
// "From ", get one ">" more, which can be undone. Lines end with LF, as all
// mbox programs expect: CRLF becomes LF, which can be undone unless the message
// had LF without CR. The octets and the hash are those of the message as it
// stands in the file.
//
// Other programs may read the file at any time, and append to it between two
// runs, but must not write to it during one.
type mbox struct {
	records
	spooler
	fsys  vfs.FS
	name  string
	side  string // a folder beside the file: lock, journal, spool
	lock  vfs.Lock
	file  vfs.File
	size  int64
	begun bool  // the journal stands
	err   error // the file's end is not known any more
}

func openMbox(fsys vfs.FS, name string) (*mbox, error) {
	dir, base := filepath.Split(filepath.Clean(name))
	m := &mbox{fsys: fsys, name: name, side: filepath.Join(dir, "."+base+"."+suffix)}
	if err := vfs.MkdirAll(fsys, m.side, folderPerm); err != nil {
		return nil, err
	}
	lock, err := fsys.Lock(m.side)
	if err != nil {
		return nil, err
	}
	m.lock, m.in = lock, lock
	if err := m.load(); err != nil {
		if m.file != nil {
			m.file.Close()
		}
		lock.Close()
		return nil, err
	}
	return m, nil
}

func (m *mbox) load() error {
	err := removeAll(m.fsys, m.side, func(name string) bool { return name != journalName })
	if err != nil {
		return err
	}
	if m.file, err = m.fsys.Append(m.name, filePerm); err != nil {
		return err
	}
	if err := m.fsys.SyncDir(filepath.Dir(m.name)); err != nil {
		return err
	}
	if err := m.recover(); err != nil {
		return err
	}
	info, err := m.file.Info()
	if err != nil {
		return err
	}
	m.size = info.Size
	return m.scan()
}

// scan collects the records. What stands in the file is made durable: from now
// on it counts.
func (m *mbox) scan() error {
	if err := m.file.Sync(); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(io.NewSectionReader(m.file, 0, m.size), block)
	for begins := true; ; {
		line, err := lines.ReadSlice('\n')
		if begins && len(line) > 0 {
			if s, ok := parseSeparator(line); ok {
				m.add(s.Record)
			}
		}
		begins = err == nil
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// Deliver implements Target.
func (m *mbox) Deliver(ctx context.Context, r io.Reader, record func() (Record, bool)) error {
	if m.err != nil {
		return m.err
	}
	tmp := rand.Text()
	s := separator{}
	stored := NewContentHash()
	f, err := m.spool(ctx, tmp, newQuoter(r), io.MultiWriter(&s.octets, stored))
	if err != nil {
		return err
	}
	var ok bool
	if s.Record, ok = record(); ok {
		s.hash = stored.String()
		err = m.append(s, io.NewSectionReader(f, 0, int64(s.octets)))
	}
	return errors.Join(err, f.Close(), m.lock.Remove(tmp))
}

// append adds the message that is spooled. What fails is cut off again.
func (m *mbox) append(s separator, spooled io.Reader) error {
	if err := m.begin(); err != nil {
		return err
	}
	head := s.line(time.Now())
	w := bufio.NewWriterSize(m.file, block)
	w.WriteString(head) // the Writer remembers its first error
	n, err := io.Copy(w, spooled)
	if err == nil && n != int64(s.octets) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		w.WriteByte('\n')
		err = w.Flush()
	}
	if err == nil {
		err = m.file.Sync()
	}
	if err != nil {
		if cut := m.file.Truncate(m.size); cut != nil {
			m.err = fmt.Errorf("%s: an unfinished message could not be cut off: %w", m.name, cut)
		}
		return err
	}
	m.size += int64(len(head)) + n + 1
	m.add(s.Record)
	return nil
}

// Close implements Target.
func (m *mbox) Close() error {
	err := m.file.Close()
	if m.err == nil && err == nil {
		err = m.finish()
	}
	return errors.Join(err, m.lock.Close())
}

// A separator is the line before a message of ours.
type separator struct {
	Record
	octets counter
	hash   string
}

func (s separator) line(now time.Time) string {
	return fmt.Sprintf("From %s-%d-%s@%s %s\n", s.Record, s.octets, s.hash, suffix, now.UTC().Format(time.ANSIC))
}

// parseSeparator is line's twin. A line without its end is none.
func parseSeparator(line []byte) (s separator, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	if !ok || !bytes.HasSuffix(line, []byte{'\n'}) {
		return s, false
	}
	word, _, ok := strings.Cut(string(rest), "@"+suffix+" ")
	parts := strings.Split(word, "-")
	if !ok || len(parts) != 5 || !isHash(parts[4]) {
		return s, false
	}
	if s.Record, ok = parseRecord(strings.Join(parts[:3], "-")); !ok {
		return s, false
	}
	octets, err := strconv.ParseUint(parts[3], 10, 63)
	s.octets, s.hash = counter(octets), parts[4]
	return s, err == nil
}

// exists tells a missing file from other errors.
func exists(err error) (bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
