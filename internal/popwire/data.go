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
	c.size += int64(len(p) + bareLFs(p, c.last))
	c.last = p[len(p)-1]
	return len(p), nil
}

// bareLFs counts the LF in p that no CR is before. before is the octet before p. What
// has no CR is counted without a look at each line.
func bareLFs(p []byte, before byte) (n int) {
	cr := bytes.IndexByte(p, '\r')
	if cr < 0 {
		cr = len(p)
	}
	n = bytes.Count(p[:cr], []byte{'\n'})
	if before == '\r' && p[0] == '\n' {
		n--
	}
	for rest := p[cr:]; ; {
		lf := bytes.IndexByte(rest, '\n')
		if lf < 0 {
			return n
		}
		if lf == 0 || rest[lf-1] != '\r' {
			n++
		}
		rest = rest[lf+1:]
	}
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

// BodyOn returns a Body on w.
func BodyOn(w *Writer) Body { return Body{w: w} }

// NewBody returns one of its own.
func NewBody(w *Writer) *Body { return &Body{w: w} }

// Write adds stored octets, cut anywhere.
func (b *Body) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		room := b.w.Room(leastRoom)
		if room == nil {
			return 0, b.w.err
		}
		sent, taken := b.convert(room[:cap(room)], p)
		b.w.Write(room[:sent])
		p = p[taken:]
	}
	return n, b.w.err
}

const (
	// mostAdded is what a line gets at most: a dot and a CRLF.
	mostAdded = len(".") + len(crlf)
	// leastRoom is what a Body begins to write in.
	leastRoom = 64
)

// convert writes to dst what p becomes, as far as there is room, and returns how many
// octets it has sent and taken.
func (b *Body) convert(dst, p []byte) (sent, taken int) {
	dots, inLine, last := 0, b.inLine, b.last
	for taken < len(p) {
		room := len(dst) - sent - mostAdded
		if room <= 0 {
			break
		}
		line := p[taken:]
		if len(line) > room {
			line = line[:room]
		}
		if !inLine && line[0] == '.' {
			dst[sent] = '.'
			sent++
			dots++
		}
		end := bytes.IndexByte(line, '\n')
		if end < 0 {
			sent += copy(dst[sent:], line)
			taken += len(line)
			inLine, last = true, line[len(line)-1]
			continue
		}
		sent += copy(dst[sent:], line[:end])
		taken += end + 1
		if end > 0 {
			last = line[end-1]
		}
		if last != '\r' || end == 0 && !inLine {
			dst[sent] = '\r'
			sent++
		}
		dst[sent] = '\n'
		sent++
		inLine = false
	}
	b.inLine, b.last = inLine, last
	b.size += int64(sent - dots)
	return sent, taken
}

// Size returns what a Counter would: the octets on the wire, byte-stuffing not counted, had
// the message ended here.
func (b *Body) Size() int64 {
	if b.inLine {
		return b.size + int64(len(crlf))
	}
	return b.size
}

// EndLine adds the last line end where the message has none, and returns the Size.
func (b *Body) EndLine() (size int64, err error) {
	size = b.Size()
	if b.inLine {
		_, err = b.w.WriteString(crlf)
		b.inLine, b.size = false, size
	}
	return size, err
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

// fill takes what has come: as many lines as need no change, or one that begins with
// a dot.
func (b *BodyReader) fill() {
	first, err := b.r.br.Peek(1)
	switch {
	case err != nil:
		b.end(err)
		return
	case !b.midLine && first[0] == '.':
		b.fillLine()
		return
	}
	come, _ := b.r.br.Peek(b.r.br.Buffered())
	run := come[:b.toDot(come)]
	b.take(run)
	b.r.br.Discard(len(run))
	b.pending = run
}

// toDot returns where in p the first line begins that begins with a dot, or its length.
func (b *BodyReader) toDot(p []byte) int {
	for start := 0; ; {
		i := bytes.IndexByte(p[start:], '\n')
		start += i + 1
		if i < 0 || start == len(p) {
			return len(p)
		}
		if p[start] == '.' && (b.how == Lenient || b.crBefore(p, start-1)) {
			return start
		}
	}
}

// crBefore reports whether the LF at p[i] ends a CRLF.
func (b *BodyReader) crBefore(p []byte, i int) bool {
	if i == 0 {
		return b.lastCR && b.midLine
	}
	return p[i-1] == '\r'
}

// take notes how a piece of the body ends.
func (b *BodyReader) take(p []byte) {
	if len(p) == 0 {
		return
	}
	if b.r.Tap != nil {
		b.r.Tap(p)
	}
	last := len(p) - 1
	b.midLine = p[last] != '\n' || b.how == Strict && !b.crBefore(p, last)
	b.lastCR = p[last] == '\r'
}

// fillLine takes a line that begins with a dot, or what of it fits the buffer.
func (b *BodyReader) fillLine() {
	line, err := b.r.br.ReadSlice('\n')
	b.take(line)
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		b.end(err)
		return
	}
	if string(line) == "."+crlf || b.how == Lenient && string(line) == ".\n" {
		b.err = io.EOF
		return
	}
	b.pending = line[1:]
}

// end notes why nothing more comes: it is no end of a message.
func (b *BodyReader) end(err error) {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
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
