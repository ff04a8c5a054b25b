package popwire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"postfach/pop3"
)

// A Counter counts what a message has on the wire: each line end is two
// octets whether stored as LF or CRLF, a CR elsewhere is data, a missing last
// line end is added, byte-stuffing is not counted (P3-MSG-03, P3-MSG-04,
// P3-MSG-07). It is the one definition of a message's size.
type Counter struct {
	size int64
	last byte // the octet before; 0 at the start
}

// Write counts p.
func (c *Counter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	lf := bytes.Count(p, []byte{'\n'})
	crlfs := 0
	if lf > 0 {
		crlfs = bytes.Count(p, []byte(crlf))
		if c.last == '\r' && p[0] == '\n' {
			crlfs++
		}
	}
	c.size += int64(len(p) + lf - crlfs)
	c.last = p[len(p)-1]
	return len(p), nil
}

// Size returns the octets on the wire, had the message ended here.
func (c *Counter) Size() int64 {
	if c.last == '\n' || c.size == 0 {
		return c.size
	}
	return c.size + int64(len(crlf))
}

// A Body writes a message as the body of a multi-line reply: line ends become
// CRLF first, then lines that begin with "." get one more in front
// (P3-MSG-13, P3-MLT-02).
type Body struct {
	w      *Writer
	size   int64
	inLine bool
	last   byte
}

// NewBody returns a Body on w.
func NewBody(w *Writer) *Body { return &Body{w: w} }

// Write adds stored octets, cut anywhere.
func (b *Body) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if !b.inLine && p[0] == '.' {
			if _, err := b.w.WriteString("."); err != nil {
				return 0, err
			}
		}
		var err error
		if p, err = b.line(p); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// line writes p up to the first line end and returns the rest.
func (b *Body) line(p []byte) (rest []byte, err error) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		_, err = b.w.Write(p)
		b.size += int64(len(p))
		b.inLine, b.last = true, p[len(p)-1]
		return nil, err
	}
	if i > 0 {
		b.last = p[i-1]
	}
	if b.last == '\r' && (i > 0 || b.inLine) {
		_, err = b.w.Write(p[:i+1])
		b.size += int64(i + 1)
	} else {
		b.w.Write(p[:i]) // the Writer remembers its first error
		_, err = b.w.WriteString(crlf)
		b.size += int64(i + len(crlf))
	}
	b.inLine, b.last = false, '\n'
	return p[i+1:], err
}

// EndLine adds the last line end where the message has none, and returns how
// many octets the message had, byte-stuffing not counted: what Counter counts.
func (b *Body) EndLine() (size int64, err error) {
	if b.inLine {
		_, err = b.w.WriteString(crlf)
		b.size += int64(len(crlf))
		b.inLine = false
	}
	return b.size, err
}

// A BodyReader reads the body of a multi-line reply: byte-stuffing removed,
// line ends as they came, io.EOF at the line that is only ".". An end of the
// connection before that is io.ErrUnexpectedEOF (P3-MLT-09). It bounds no line
// (P3-MSG-11) and holds no more than the Reader's buffer.
type BodyReader struct {
	r       *Reader
	how     Strictness
	pending []byte
	midLine bool // the next fragment does not begin a line
	lastCR  bool
	err     error
}

// NewBodyReader returns a reader of the multi-line data that comes next. Strict:
// only CRLF ends a line (P3-MLT-07); Lenient: a bare LF does, too.
func NewBodyReader(r *Reader, how Strictness) *BodyReader {
	return &BodyReader{r: r, how: how}
}

// Read implements io.Reader.
func (b *BodyReader) Read(p []byte) (int, error) {
	for len(b.pending) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.fill()
	}
	n := copy(p, b.pending)
	b.pending = b.pending[n:]
	return n, nil
}

// WriteTo implements io.WriterTo: one copy less.
func (b *BodyReader) WriteTo(w io.Writer) (n int64, err error) {
	for {
		if len(b.pending) > 0 {
			k, err := w.Write(b.pending)
			n += int64(k)
			b.pending = b.pending[k:]
			if err != nil {
				return n, err
			}
		}
		if b.err != nil {
			if errors.Is(b.err, io.EOF) {
				return n, nil
			}
			return n, b.err
		}
		b.fill()
	}
}

// fill takes the next line, or what of it fits the buffer.
func (b *BodyReader) fill() {
	frag, err := b.r.br.ReadSlice('\n')
	if len(frag) > 0 && b.r.Tap != nil {
		b.r.Tap(frag)
	}
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		b.err = err
		return
	}
	if !b.midLine && frag[0] == '.' {
		if string(frag) == "."+crlf || b.how == Lenient && string(frag) == ".\n" {
			b.err = io.EOF
			return
		}
		frag = frag[1:]
	}
	b.midLine = !b.endsLine(frag)
	if n := len(frag); n > 0 {
		b.lastCR = frag[n-1] == '\r'
	}
	b.pending = frag
}

func (b *BodyReader) endsLine(frag []byte) bool {
	n := len(frag)
	if n == 0 || frag[n-1] != '\n' {
		return false
	}
	if b.how == Lenient {
		return true
	}
	if n == 1 {
		return b.lastCR && b.midLine
	}
	return frag[n-2] == '\r'
}

// ReadDataLine reads one line of a short multi-line reply such as LIST, stuffing
// removed. done reports the line that is only ".". limit is in octets.
func (r *Reader) ReadDataLine(limit int) (line []byte, done bool, err error) {
	line, err = r.ReadLine(limit)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, false, err
	}
	if len(line) > 0 && line[0] == '.' {
		return line[1:], len(line) == 1, nil
	}
	return line, false, nil
}

// AppendScanListing appends "number size", without line end (RFC 1939 section
// 5, P3-LIST-06).
func AppendScanListing(dst []byte, l pop3.ScanListing) []byte {
	dst = strconv.AppendInt(dst, int64(l.Number), 10)
	dst = append(dst, ' ')
	return strconv.AppendInt(dst, l.Size, 10)
}

// ParseScanListing reads a line of LIST, or the text of LIST's reply with an
// argument. What follows the size is ignored (P3-LIST-07).
func ParseScanListing(line string) (l pop3.ScanListing, ok bool) {
	number, size, ok := twoFields(line)
	if !ok {
		return l, false
	}
	if l.Number, ok = ParseMessageNumber(number); !ok {
		return l, false
	}
	l.Size, ok = ParseNumber(size)
	return l, ok
}

// AppendIDListing appends "number unique-id", without line end (RFC 1939
// section 7, P3-UIDL-02).
func AppendIDListing(dst []byte, l pop3.IDListing) []byte {
	dst = strconv.AppendInt(dst, int64(l.Number), 10)
	dst = append(dst, ' ')
	return append(dst, l.ID...)
}

// ParseIDListing reads a line of UIDL, or the text of UIDL's reply with an
// argument. Ids that break the grammar are kept as they are (P3-UIDL-11).
func ParseIDListing(line string) (l pop3.IDListing, ok bool) {
	number, id, ok := twoFields(line)
	if !ok {
		return l, false
	}
	l.Number, ok = ParseMessageNumber(number)
	l.ID = pop3.UniqueID(id)
	return l, ok
}

// AppendDropListing appends "count size", without line end (P3-STAT-03).
func AppendDropListing(dst []byte, l pop3.DropListing) []byte {
	return AppendScanListing(dst, pop3.ScanListing{Number: l.Count, Size: l.Size})
}

// ParseDropListing reads the text of STAT's reply; what follows is ignored
// (P3-STAT-04).
func ParseDropListing(text string) (l pop3.DropListing, ok bool) {
	s, ok := ParseScanListing(text)
	return pop3.DropListing{Count: s.Number, Size: s.Size}, ok
}

// twoFields returns the first two words; servers in use send several SP
// between them.
func twoFields(line string) (first, second string, ok bool) {
	first, rest, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
	second, _, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
	return first, second, second != ""
}

// AppendDataLine appends one line of a short multi-line reply, stuffed, with
// CRLF.
func AppendDataLine(dst []byte, line string) []byte {
	if strings.HasPrefix(line, ".") {
		dst = append(dst, '.')
	}
	return append(append(dst, line...), crlf...)
}

// EndLine appends the line end.
func EndLine(line []byte) []byte { return append(line, crlf...) }

// TrimLine is EndLine's twin: it takes a line end away, CRLF or bare LF.
func TrimLine(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = bytes.TrimSuffix(line[:n-1], []byte{'\r'})
	}
	return slices.Clip(line)
}

// AppendTerminator appends the end of a multi-line reply: a line that is only
// ".".
func AppendTerminator(dst []byte) []byte { return append(dst, "."+crlf...) }
