package popwire

import (
	"bytes"
	"errors"
	"io"
)

// A topReader passes on the header, the empty line and k lines of the body.
type topReader struct {
	r       io.Reader
	left    int  // lines of the body still to pass on
	body    bool // the empty line has been passed on
	octets  int  // of the current line so far, a CR at its end included
	onlyCR  bool // those octets are a single CR
	ended   bool
	padding string // what a message without the empty line still gets
}

// Top returns the first k lines of the message in r, with all of its header
// and the empty line between the two (RFC 1939 section 7). Header lines are
// not counted (P3-TOP-05). A message without the empty line gets one at its
// end, because clients wait for it (P3-TOP-10).
func Top(r io.Reader, k int) io.Reader { return &topReader{r: r, left: k} }

// Read implements io.Reader.
func (t *topReader) Read(p []byte) (int, error) {
	if t.padding != "" {
		n := copy(p, t.padding)
		t.padding = t.padding[n:]
		return n, nil
	}
	if t.ended || t.body && t.left == 0 {
		return 0, io.EOF
	}
	n, err := t.r.Read(p)
	n = t.cut(p[:n])
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	t.ended = true
	if !t.body {
		t.padding = crlf
		if t.octets > 0 {
			t.padding = crlf + crlf
		}
	}
	return n, nil
}

// cut follows the lines in p and returns how much of it belongs to the result.
func (t *topReader) cut(p []byte) int {
	for i := 0; i < len(p); {
		if t.body && t.left == 0 {
			return i
		}
		end := bytes.IndexByte(p[i:], '\n')
		if end < 0 {
			t.onlyCR = t.octets == 0 && len(p)-i == 1 && p[i] == '\r'
			t.octets += len(p) - i
			return len(p)
		}
		empty := end == 0 && (t.octets == 0 || t.onlyCR) ||
			end == 1 && t.octets == 0 && p[i] == '\r'
		if t.body {
			t.left--
		} else if empty {
			t.body = true
		}
		i += end + 1
		t.octets, t.onlyCR = 0, false
	}
	return len(p)
}
