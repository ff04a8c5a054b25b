package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// listing sends LIST or UIDL and reads all of the reply's lines, with the terminator.
// They are looked at later, so that the time to the end of the reply is the server's.
// Nothing else may be on the way. into is used again.
func (c *conn) listing(keyword string, into []byte) ([]byte, error) {
	if _, err := c.exchange(keyword); err != nil {
		return into, err
	}
	raw := append(into[:0], c.buf[c.r:c.w]...)
	c.r, c.w = 0, 0
	for !complete(raw) {
		if cap(raw)-len(raw) < small {
			raw = slices.Grow(raw, max(large, len(raw)))
		}
		c.setDeadline()
		n, err := c.Conn.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && n == 0 {
			return raw, fmt.Errorf("%s: %w", keyword, err)
		}
	}
	return raw, nil
}

// complete reports whether a listing ends with a line that is only a dot.
func complete(raw []byte) bool {
	line := raw[max(0, len(raw)-terminator):]
	if !bytes.Equal(line, popwire.AppendTerminator(make([]byte, 0, terminator))) {
		return false
	}
	return len(raw) == terminator || raw[len(raw)-terminator-1] == '\n'
}

// errors of listings, beside those of the connection.
var errDotInside = errors.New("a line that is only a dot, and more lines behind it")

// lines calls each with the lines of a complete listing.
func lines(raw []byte, each func(line []byte) error) error {
	for raw = raw[:len(raw)-terminator]; len(raw) > 0; {
		end := bytes.IndexByte(raw, '\n') + 1
		line := raw[:end-1]
		raw = raw[end:]
		if n := len(line); n == 0 || line[n-1] != '\r' {
			return &pop3.ProtocolError{Want: "a line that ends with CR LF", Got: popwire.Shorten(line)}
		}
		line = line[:len(line)-1]
		if len(line) == 1 && line[0] == '.' {
			return errDotInside
		}
		if err := each(line); err != nil {
			return err
		}
	}
	return nil
}

// parseSizes reads the lines of LIST: messages 1 to n, none missing. into is used again.
func parseSizes(raw []byte, into []int64) (sizes []int64, err error) {
	sizes = into[:0]
	err = lines(raw, func(line []byte) error {
		number, rest, ok := leadingNumber(line)
		if ok && number == int64(len(sizes)+1) && len(rest) > 0 && rest[0] == ' ' {
			size, behind, ok := leadingNumber(rest[1:])
			if ok && (len(behind) == 0 || behind[0] == ' ') { // P3-LIST-07
				sizes = append(sizes, size)
				return nil
			}
		}
		return &pop3.ProtocolError{Want: fmt.Sprintf("the size of message %d", len(sizes)+1), Got: popwire.Shorten(line)}
	})
	if err != nil {
		err = fmt.Errorf("LIST: %w", err)
	}
	return sizes, err
}

// parseIDs reads the lines of UIDL: messages 1 to n, none missing. each, which may be
// nil, is called with their unique-ids.
func parseIDs(raw []byte, each func(id []byte)) (n int, err error) {
	err = lines(raw, func(line []byte) error {
		number, rest, ok := leadingNumber(line)
		if !ok || number != int64(n+1) || len(rest) < 2 || rest[0] != ' ' || !pop3.UniqueID(rest[1:]).Valid() {
			return &pop3.ProtocolError{Want: fmt.Sprintf("the unique-id of message %d", n+1), Got: popwire.Shorten(line)}
		}
		n++
		if each != nil {
			each(rest[1:])
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("UIDL: %w", err)
	}
	return n, err
}

// leadingNumber reads the digits at the start of a line.
func leadingNumber(line []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for ; i < len(line) && i < 18 && line[i] >= '0' && line[i] <= '9'; i++ {
		n = n*10 + int64(line[i]-'0')
	}
	return n, line[i:], i > 0
}

// sum adds sizes up.
func sum(sizes []int64) (total int64) {
	for _, s := range sizes {
		total += s
	}
	return total
}

// readSizes sends LIST, and keeps the sizes for the worker's next session, too.
func (w *worker) readSizes(c *conn) (sizes []int64, err error) {
	if w.lines, err = c.listing("LIST", w.lines); err == nil {
		w.sizes, err = parseSizes(w.lines, w.sizes)
	}
	return w.sizes, err
}
