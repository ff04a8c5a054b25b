package explore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A RawLine is a line of a message as it crossed the wire.
type RawLine struct {
	// Text is printable: TAB is \t, a backslash is doubled, and any other octet
	// that cannot be shown is \xNN, as in protocol logs. Long lines are cut.
	Text    string
	Stuffed bool   // the wire had one more "." in front
	End     string // "CRLF", "LF", "" (the last line has none)
	Cut     int64  // octets that Text leaves out
}

const (
	maxRawText  = 2000   // octets of RawLine.Text
	maxRawLines = 10_000 // of one call: a screen has a hundred
)

// RawLines returns up to count lines of the raw message from line first (from 0)
// on; fewer, or none, when the message ends.
func (s *Stored) RawLines(first, count int) ([]RawLine, error) {
	first, count = max(first, 0), min(max(count, 0), maxRawLines)
	last := first + min(count, math.MaxInt-first)
	c := s.content
	c.lines.mu.Lock()
	defer c.lines.mu.Unlock()
	w := &window{r: c, size: c.size}
	// Until the one behind them, so that the last one's end is known.
	if err := c.lines.scan(w, last); err != nil {
		return nil, err
	}
	n, off := c.lines.before(first)
	var lines []RawLine
	for ; n < c.lines.line && n < last; n++ {
		end, err := c.lines.end(w, n, off)
		if err != nil {
			return nil, err
		}
		if n >= first {
			line, err := c.rawLine(off, end)
			if err != nil {
				return nil, err
			}
			lines = append(lines, line)
		}
		off = end
	}
	return lines, nil
}

// Lines returns how many lines RawLines has.
func (s *Stored) Lines() (int, error) {
	c := s.content
	c.lines.mu.Lock()
	defer c.lines.mu.Unlock()
	err := c.lines.scan(&window{r: c, size: c.size}, math.MaxInt)
	return c.lines.line, err
}

// A lineIndex knows where some of the lines begin, as far as somebody has asked
// for them.
type lineIndex struct {
	mu    sync.Mutex // guards what follows
	marks []mark     // at most markLines lines or about markOctets apart
	line  int        // lines before off
	off   int64      // as far as it was read
}

// A mark is where a line begins.
type mark struct {
	line int
	off  int64
}

const (
	markLines  = 1000
	markOctets = 1 << 20
)

// scan reads on until so many lines are known, or all.
func (x *lineIndex) scan(w *window, lines int) error {
	for x.line < lines && x.off < w.size {
		end, err := w.lineEnd(x.off)
		if err != nil {
			return err
		}
		x.line, x.off = x.line+1, end
		var last mark
		if len(x.marks) > 0 {
			last = x.marks[len(x.marks)-1]
		}
		if x.line-last.line >= markLines || x.off-last.off >= markOctets {
			x.marks = append(x.marks, mark{x.line, x.off})
		}
	}
	return nil
}

// before returns the last line up to this one whose beginning is known.
func (x *lineIndex) before(line int) (n int, off int64) {
	i := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].line > line })
	if i == 0 {
		return 0, 0
	}
	return x.marks[i-1].line, x.marks[i-1].off
}

// end returns where line n ends that begins at off. Lines of many megabytes are
// not read again for it.
func (x *lineIndex) end(w *window, n int, off int64) (int64, error) {
	if n+1 == x.line {
		return x.off, nil
	}
	if line, next := x.before(n + 1); line == n+1 {
		return next, nil
	}
	return w.lineEnd(off)
}

// rawLine reads the line between two offsets.
func (c *content) rawLine(off, end int64) (RawLine, error) {
	around := max(off-2, 0) // what ended the line before
	head := make([]byte, min(end-around, 2+maxRawText+utf8.UTFMax))
	tail := make([]byte, min(end-off, 2))
	if err := errors.Join(readFull(c, head, around), readFull(c, tail, end-int64(len(tail)))); err != nil {
		return RawLine{}, err
	}
	before, head := head[:off-around], head[off-around:]
	var line RawLine
	switch {
	case bytes.HasSuffix(tail, []byte{'\r', '\n'}):
		line.End = "CRLF"
		end -= 2
	case bytes.HasSuffix(tail, []byte{'\n'}):
		line.End = "LF"
		end--
	}
	// Only CRLF ends a line on the wire (P3-MLT-07).
	wire := off == 0 || bytes.Equal(before, []byte{'\r', '\n'})
	line.Stuffed = wire && head[0] == '.'
	text, used := escape(head[:min(int64(len(head)), end-off)])
	line.Text, line.Cut = text, end-off-int64(used)
	return line, nil
}

// escape writes octets so that they can be seen, and returns how many have room.
func escape(octets []byte) (text string, used int) {
	var b strings.Builder
	for used < len(octets) {
		r, n := utf8.DecodeRune(octets[used:])
		var piece string
		switch {
		case r == '\\':
			piece = `\\`
		case r == '\t':
			piece = `\t`
		case r == utf8.RuneError && n == 1, !unicode.IsPrint(r):
			for _, c := range octets[used : used+n] {
				piece += fmt.Sprintf(`\x%02x`, c)
			}
		default:
			piece = string(octets[used : used+n])
		}
		if b.Len()+len(piece) > maxRawText {
			break
		}
		b.WriteString(piece)
		used += n
	}
	return b.String(), used
}

// A window is a piece of a message, for those who go through it from its
// beginning to its end.
type window struct {
	r    io.ReaderAt
	size int64
	at   int64
	buf  []byte
}

const windowOctets = 64 << 10

// lineEnd returns where the line ends that begins at off: behind its LF, or where
// the message ends.
func (w *window) lineEnd(off int64) (int64, error) {
	for off < w.size {
		if off < w.at || off >= w.at+int64(len(w.buf)) {
			if err := w.move(off); err != nil {
				return 0, err
			}
		}
		rest := w.buf[off-w.at:]
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			return off + int64(i) + 1, nil
		}
		off += int64(len(rest))
	}
	return w.size, nil
}

func (w *window) move(off int64) error {
	if w.buf == nil {
		w.buf = make([]byte, min(windowOctets, w.size))
	}
	w.buf = w.buf[:min(int64(cap(w.buf)), w.size-off)]
	w.at = off
	return readFull(w.r, w.buf, off)
}

// readFull fills p.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}
