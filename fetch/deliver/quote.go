package deliver

import (
	"bufio"
	"errors"
	"io"
)

// A quoter turns a message into what an mbox file holds: CRLF becomes LF, and
// a line of any number of ">" and then "From " gets one ">" more.
type quoter struct {
	r       *bufio.Reader
	arrows  int    // ">" still to be given
	frag    []byte // of a line, still to be given
	midLine bool
	cr      bool // a CR has been read that may belong to a line end
	err     error
}

func newQuoter(r io.Reader) *quoter { return &quoter{r: bufio.NewReaderSize(r, block)} }

// Read implements io.Reader.
func (q *quoter) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case q.arrows > 0:
			p[n] = '>'
			n++
			q.arrows--
		case len(q.frag) > 0:
			k := copy(p[n:], q.frag)
			n += k
			q.frag = q.frag[k:]
		case q.err != nil:
			if n > 0 {
				return n, nil
			}
			return 0, q.err
		default:
			q.fill()
		}
	}
	return n, nil
}

// fill takes the next piece of a line.
func (q *quoter) fill() {
	if !q.midLine {
		q.beginLine()
		return
	}
	frag, err := q.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		q.err = err
	}
	q.frag = q.lineEnd(frag)
	q.midLine = len(frag) == 0 || frag[len(frag)-1] != '\n'
}

// beginLine counts the arrows, which may be more than any buffer holds.
func (q *quoter) beginLine() {
	q.midLine = true
	for {
		b, err := q.r.ReadByte()
		if err != nil {
			q.err = err
			return
		}
		if b != '>' {
			break
		}
		q.arrows++
	}
	q.r.UnreadByte()
	if next, _ := q.r.Peek(len("From ")); string(next) == "From " {
		q.arrows++
	}
}

// lineEnd makes CRLF LF. A CR at the end of a piece waits for the next one.
func (q *quoter) lineEnd(frag []byte) []byte {
	n := len(frag)
	switch {
	case q.cr && n > 0 && frag[0] == '\n': // CR came before
		q.cr = false
		return frag
	case q.cr: // the CR was data
		q.cr = false
		return append([]byte{'\r'}, q.lineEnd(frag)...)
	case n > 1 && frag[n-1] == '\n' && frag[n-2] == '\r':
		frag[n-2] = '\n'
		return frag[:n-1]
	case n > 0 && frag[n-1] == '\r':
		q.cr = q.err == nil
		if q.cr {
			return frag[:n-1]
		}
	}
	return frag
}

// Quote returns the message r as it stands in an mbox of the form "mboxrd": lines
// end with LF, and those that could be taken for a separator have one ">" more.
func Quote(r io.Reader) io.Reader { return newQuoter(r) }
