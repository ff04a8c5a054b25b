package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"postfach/internal/vfs"
)

// journalName is a file that stands while a run appends. In it is where the
// run began, so that the next one knows where a torn message can be: nothing
// before that is ever cut.
const journalName = "appending"

func (m *mbox) journal() string { return filepath.Join(m.side, journalName) }

// begin writes the journal before the first append.
func (m *mbox) begin() error {
	if m.begun {
		return nil
	}
	// Another program may have appended since the file was opened.
	info, err := m.file.Info()
	if err != nil {
		return err
	}
	m.size = info.Size
	if err := m.endLine(); err != nil {
		return err
	}
	err = vfs.WriteFile(m.fsys, m.journal(), []byte(strconv.FormatInt(m.size, 10)), filePerm)
	m.begun = err == nil
	return err
}

// endLine completes what another program left without an empty line.
func (m *mbox) endLine() error {
	var tail [2]byte
	n, err := m.file.ReadAt(tail[:min(m.size, 2)], max(m.size-2, 0))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	missing := ""
	switch {
	case n == 0, string(tail[:n]) == "\n\n":
	case tail[n-1] == '\n':
		missing = "\n"
	default:
		missing = "\n\n"
	}
	if missing == "" {
		return nil
	}
	k, err := m.file.Write([]byte(missing))
	m.size += int64(k)
	return err
}

// finish removes the journal, durably: all that was appended is whole. A
// journal that came back could have the next run doubt what other programs
// changed meanwhile.
func (m *mbox) finish() error {
	if !m.begun {
		return nil
	}
	if err := m.fsys.Remove(m.journal()); err != nil {
		return err
	}
	return m.fsys.SyncDir(m.side)
}

// recover cuts off a message that an interrupted run did not complete: the last
// one in the file, when it is shorter than its separator says, or as long but
// not the same. What is longer has been changed by another program and stays.
func (m *mbox) recover() error {
	f, err := m.fsys.Open(m.journal())
	if there, err := exists(err); !there {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	from, err := strconv.ParseInt(string(text), 10, 64)
	info, ierr := m.file.Info()
	if err = errors.Join(err, ierr); err != nil {
		return err
	}
	if from < info.Size {
		torn, at, err := m.torn(from, info.Size)
		if err != nil {
			return err
		}
		if torn {
			if err := errors.Join(m.file.Truncate(at), m.file.Sync()); err != nil {
				return err
			}
		}
	}
	m.begun = true
	err = m.finish()
	m.begun = false
	return err
}

// torn looks at the messages from the offset on.
func (m *mbox) torn(at, size int64) (torn bool, where int64, err error) {
	for at < size {
		lines := bufio.NewReaderSize(io.NewSectionReader(m.file, at, size-at), 4096)
		head, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return false, at, err
		}
		s, ours := parseSeparator(head)
		if !ours && !beginning(head) {
			return false, at, nil // another program wrote it
		}
		length := int64(len(head)) + int64(s.octets) + 1
		if ours && at+length <= size {
			whole, err := sameHash(lines, s)
			if err != nil {
				return false, at, err
			}
			if whole {
				at += length
				continue
			}
		}
		if ours && at+length < size {
			return false, at, nil // longer than it was: changed, or more behind it
		}
		more, err := m.separatorAfter(at, size)
		return !more, at, err
	}
	return false, at, nil
}

// beginning reports whether this may be what is left of a separator: a piece
// of one without its end, or the zeros that a disk gives for what it has not
// written.
func beginning(head []byte) bool {
	const from = "From "
	written, _, zeros := bytes.Cut(head, []byte{0})
	n := min(len(written), len(from))
	return string(written[:n]) == from[:n] && (zeros || head[len(head)-1] != '\n')
}

// sameHash reports whether the message is what its separator says.
func sameHash(r io.Reader, s separator) (bool, error) {
	h := NewContentHash()
	if _, err := io.CopyN(h, r, int64(s.octets)); err != nil {
		return false, err
	}
	end := make([]byte, 1)
	if _, err := io.ReadFull(r, end); err != nil {
		return false, err
	}
	return h.String() == s.hash && end[0] == '\n', nil
}

// separatorAfter reports whether another message begins behind the one at the
// offset.
func (m *mbox) separatorAfter(at, size int64) (bool, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(m.file, at, size-at), block)
	begins, first := true, true
	for {
		line, err := r.ReadSlice('\n')
		if begins && !first && strings.HasPrefix(string(line), "From ") {
			return true, nil
		}
		begins, first = err == nil, false
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return false, nil
		default:
			return false, err
		}
	}
}
