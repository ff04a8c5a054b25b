package bench

import (
	"bytes"
	"hash/crc32"
)

// castagnoli is the polynomial of CRC-32C, for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// terminator is the number of octets of a line that is only a dot.
const terminator = 3

// A body reads the body of a multi-line reply, in pieces cut anywhere: it looks for the
// terminator, takes byte-stuffing away, and keeps of the octets their number and a sum.
type body struct {
	octetSum
	start bool // what comes next begins a line
	last  byte // the octet before it
}

// An octetSum is what is kept of octets: the first ones, which may hold what the rest
// should be, and a CRC-32C of the rest.
type octetSum struct {
	size  int64
	first [checksumLine]byte
	crc   uint32
}

// newBody returns a body that has read nothing.
func newBody() body { return body{start: true} }

// scan takes octets from p. It leaves what it cannot judge yet: a dot at the start of a
// line with less than two octets behind it. done: the terminator was the last taken.
func (b *body) scan(p []byte) (n int, done bool) {
	from := 0
	for i := 0; ; i++ {
		k := bytes.IndexByte(p[i:], '.')
		if k < 0 {
			b.add(p[from:])
			b.moved(p)
			return len(p), false
		}
		i += k
		if !b.beginsLine(p, i) {
			continue
		}
		b.add(p[from:i])
		if len(p)-i < terminator {
			b.moved(p[:i])
			return i, false
		}
		if p[i+1] == '\r' && p[i+2] == '\n' {
			return i + terminator, true
		}
		from = i + 1
	}
}

// beginsLine reports whether p[i] is the first octet of a line.
func (b *body) beginsLine(p []byte, i int) bool {
	switch i {
	case 0:
		return b.start
	case 1:
		return p[0] == '\n' && b.last == '\r'
	}
	return p[i-1] == '\n' && p[i-2] == '\r'
}

// moved notes where the octets after p begin.
func (b *body) moved(p []byte) {
	if len(p) > 0 {
		b.start = b.beginsLine(p, len(p))
		b.last = p[len(p)-1]
	}
}

// add counts and sums octets.
func (s *octetSum) add(p []byte) {
	if s.size < int64(checksumLine) {
		n := copy(s.first[s.size:], p)
		s.size += int64(n)
		p = p[n:]
	}
	s.size += int64(len(p))
	s.crc = crc32.Update(s.crc, castagnoli, p)
}

// body reads a multi-line reply's body to its terminator.
func (c *conn) body() (octetSum, error) {
	b := newBody()
	for {
		n, done := b.scan(c.buf[c.r:c.w])
		c.r += n
		if done {
			return b.octetSum, nil
		}
		if err := c.fill(); err != nil {
			return b.octetSum, err
		}
	}
}
