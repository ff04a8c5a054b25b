package popwire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
)

// A Reader reads lines and multi-line data. It holds one small buffer; a line
// that does not fit grows a second one up to the limit, for that line only.
type Reader struct {
	br  *bufio.Reader
	raw []byte // the tail of a line that did not fit into br
	// Tap, if not nil, sees all octets as they are taken from the buffer.
	Tap func([]byte)
	// GiveUp makes a line longer than its limit an error at once, instead of
	// at its end: for whoever closes the connection then, so that a line
	// without end cannot hold it up.
	GiveUp bool
}

// NewReader returns a Reader on r with a buffer of size octets.
func NewReader(r io.Reader, size int) *Reader {
	return &Reader{br: bufio.NewReaderSize(r, size)}
}

// Forget gives back what the last line took, if it was a long one. The line is not
// valid any more.
func (r *Reader) Forget() { r.raw = nil }

// Held returns how much room a line takes that did not fit the buffer.
func (r *Reader) Held() int { return cap(r.raw) }

// Buffered returns how many octets have been received but not yet read.
func (r *Reader) Buffered() int { return r.br.Buffered() }

// Await waits until something has been received. After an error that passes, such as a
// deadline, nothing is lost.
func (r *Reader) Await() error {
	_, err := r.br.Peek(1)
	return err
}

// LineBuffered reports whether a complete line has been received, so that
// ReadLine will not block.
func (r *Reader) LineBuffered() bool {
	b, _ := r.br.Peek(r.br.Buffered())
	return bytes.IndexByte(b, '\n') >= 0
}

// ReadLine returns the next line without its line end, CRLF or bare LF
// (P3-SYN-24). A CR elsewhere is data. limit counts octets with the line end.
// The line is valid until the next read. At the end of the input, octets that
// no line end follows are not a line: the error is io.ErrUnexpectedEOF
// (P3-UPD-06).
func (r *Reader) ReadLine(limit int) (line []byte, err error) {
	return r.ReadLineBy(func([]byte) int { return limit })
}

// ReadLineBy is ReadLine with a limit that depends on how the line begins. The
// limit is asked for when the line does not fit the Reader's buffer, and at the
// line's end.
func (r *Reader) ReadLineBy(limit func(start []byte) int) (line []byte, err error) {
	line, err = r.readLine(limit)
	if err != nil {
		return nil, err
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return slices.Clip(line), nil // an append must not reach what follows
}

// readLine returns the line with its line end.
func (r *Reader) readLine(limitOf func(start []byte) int) ([]byte, error) {
	r.raw = nil
	total, limit := 0, 0
	for {
		frag, err := r.br.ReadSlice('\n')
		if len(frag) > 0 && r.Tap != nil {
			r.Tap(frag)
		}
		if total == 0 {
			limit = limitOf(frag)
		}
		total += len(frag)
		switch {
		case err == nil && total > limit:
			r.raw = nil
			return nil, ErrLineTooLong
		case err == nil && r.raw == nil:
			return frag, nil
		case err == nil:
			r.keep(frag, limit)
			return r.raw, nil
		case errors.Is(err, bufio.ErrBufferFull):
			if total <= limit {
				r.keep(frag, limit)
				continue
			}
			r.raw = nil
			if r.GiveUp {
				return nil, ErrLineTooLong
			}
		case errors.Is(err, io.EOF) && total > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// keep adds to a line that does not fit the buffer. Room grows in few steps: each
// leaves the one before as garbage.
func (r *Reader) keep(frag []byte, limit int) {
	if need := len(r.raw) + len(frag); need > cap(r.raw) {
		r.raw = append(make([]byte, 0, max(need, min(4*need, limit))), r.raw...)
	}
	r.raw = append(r.raw, frag...)
}

// A Writer collects what is sent and writes it in few, large pieces. It never
// parts a CRLF from what follows it at the end of a multi-line reply: several
// clients see the end only when one read finishes with CRLF "." CRLF.
type Writer struct {
	w   io.Writer
	buf []byte // len: what is pending; nil while nothing is
	get func() []byte
	put func([]byte)
	err error
	// Tap, if not nil, sees all octets before they are written.
	Tap func([]byte)
}

// NewWriter returns a Writer on w that borrows a buffer from get when there is
// something to write and hands it back with put after a Flush. The buffer's
// capacity is the size of the largest piece.
func NewWriter(w io.Writer, get func() []byte, put func([]byte)) *Writer {
	return &Writer{w: w, get: get, put: put}
}

// Write adds p to what is pending, and writes pieces as the buffer fills. The
// last two octets always stay behind, for Flush.
func (w *Writer) Write(p []byte) (int, error) {
	n := len(p)
	if room := w.buf[len(w.buf):cap(w.buf)]; n > 0 && n <= len(room) && &p[0] == &room[0] { // from Room
		w.buf = w.buf[:len(w.buf)+n]
		return n, nil
	}
	for len(p) > 0 && w.err == nil {
		w.borrow()
		room := cap(w.buf) - len(w.buf)
		if room < min(len(p), cap(w.buf)/2) { // short pieces stay whole: the terminator is one
			w.spill()
			continue
		}
		k := min(room, len(p))
		w.buf = append(w.buf, p[:k]...)
		p = p[k:]
	}
	if w.err != nil {
		return 0, w.err
	}
	return n, nil
}

// Room returns where so many octets have room behind what is pending, and writes a
// piece first where that is needed. What is appended there goes on to Write, which
// then has nothing to copy. n is at most half of the buffer. nil: something could not
// be written.
func (w *Writer) Room(n int) []byte {
	w.borrow()
	if cap(w.buf)-len(w.buf) < n {
		w.spill()
	}
	if w.err != nil {
		return nil
	}
	return w.buf[len(w.buf):]
}

// WriteString is Write for a string.
func (w *Writer) WriteString(s string) (int, error) {
	w.borrow()
	if w.err == nil && len(s) <= cap(w.buf)-len(w.buf) {
		w.buf = append(w.buf, s...)
		return len(s), nil
	}
	return w.Write([]byte(s))
}

func (w *Writer) borrow() {
	if w.buf == nil {
		w.buf = w.get()[:0]
	}
}

// spill writes all but the last two octets: whatever follows, a line end that
// stands there goes out together with it.
func (w *Writer) spill() {
	const keep = len(crlf)
	n := len(w.buf) - keep
	w.send(w.buf[:n])
	copy(w.buf, w.buf[n:])
	w.buf = w.buf[:keep]
}

func (w *Writer) send(p []byte) {
	if w.err != nil {
		return
	}
	if w.Tap != nil {
		w.Tap(p)
	}
	_, w.err = w.w.Write(p)
}

// Flush writes what is pending and hands the buffer back.
func (w *Writer) Flush() error {
	if len(w.buf) > 0 {
		w.send(w.buf)
	}
	w.Discard()
	return w.err
}

// Discard forgets what is pending: the connection is about to be cut off.
func (w *Writer) Discard() {
	if w.buf != nil {
		w.put(w.buf)
		w.buf = nil
	}
}
