package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// A scanner reads a message once and finds its parts. At each moment it is in the
// header or body of one part, or between parts.
//
// mime/multipart and go-message tell no offsets, and give up where a boundary or a
// header is not as it should be.
type scanner struct {
	*opener
	r      io.ReaderAt
	size   int64
	lines  *bufio.Reader
	offset int64 // of the line that is read next
	ended  int64 // octets of the line end before it

	open       []container    // what the part is in, outermost first
	boundaries map[string]int // which of open each belongs to

	part   *Part // nil: between parts
	header headerState
	check  bodyCheck
}

// A container is a part that is not at its end yet: a multipart, or a message.
type container struct {
	part     *Part
	closed   bool // its last boundary has come
	shadowed int  // the container further out with the same boundary; -1: none
}

// headerState is the header that is being read.
type headerState struct {
	reading bool
	begin   int64
	octets  []byte
	tooLong bool
}

func newScanner(o *opener, r io.ReaderAt, size int64) *scanner {
	lines := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), scanBuffer)
	return &scanner{opener: o, r: r, size: size, lines: lines, boundaries: make(map[string]int)}
}

func (s *scanner) run() {
	atStart := true
	for {
		line, err := s.lines.ReadSlice('\n')
		if len(line) > 0 && !s.take(line, atStart) {
			s.giveUp()
			return
		}
		s.offset += int64(len(line))
		s.ended = lineEndLength(line)
		atStart = err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if !errors.Is(err, io.EOF) {
				note(&s.m.Problem, "it cannot be read to its end: "+PrintableLine(err.Error()))
			}
			break
		}
	}
	s.endPart(s.offset)
	s.leave(0, s.offset)
}

// giveUp ends everything, wherever it is.
func (s *scanner) giveUp() {
	for i := range s.open {
		s.open[i].closed = true
	}
	s.leave(0, s.size)
}

// lineEndLength returns the octets of the line end that line has.
func lineEndLength(line []byte) int64 {
	switch {
	case bytes.HasSuffix(line, []byte{'\r', '\n'}):
		return 2
	case bytes.HasSuffix(line, []byte{'\n'}):
		return 1
	}
	return 0
}

// take takes a line, or a piece of a long one. It returns false when no more are
// wanted.
func (s *scanner) take(line []byte, atStart bool) bool {
	if atStart && line[0] == '-' {
		if i, last, ok := s.boundary(line); ok {
			return s.atBoundary(i, last, s.offset+int64(len(line)))
		}
	}
	switch {
	case !s.header.reading:
		if s.part != nil {
			s.check.add(line)
		}
	case !atStart:
		s.moreHeader(line)
	case len(bytes.TrimRight(line, "\r\n")) == 0:
		s.moreHeader(line)
		s.endHeader(s.offset + int64(len(line)))
	case endsHeader(line):
		s.endHeader(s.offset)
		return s.take(line, atStart) // it may be the first boundary
	default:
		s.moreHeader(line)
	}
	return true
}

// boundary says which of the open containers the line is a boundary of.
func (s *scanner) boundary(line []byte) (i int, last, ok bool) {
	line = bytes.TrimRight(line, " \t\r\n")
	if len(line) > longestBoundary+4 || !bytes.HasPrefix(line, []byte("--")) {
		return 0, false, false
	}
	if i, ok = s.boundaries[string(line[2:])]; ok {
		return i, false, true
	}
	name, last := bytes.CutSuffix(line[2:], []byte("--"))
	if !last {
		return 0, false, false
	}
	i, ok = s.boundaries[string(name)]
	return i, true, ok
}

// atBoundary ends the part before a boundary of container i. The next one begins
// behind the boundary.
func (s *scanner) atBoundary(i int, last bool, behind int64) bool {
	end := s.offset - s.ended
	s.endPart(end)
	s.leave(i+1, end)
	c := &s.open[i]
	if last {
		c.closed = true
		if c.shadowed >= 0 {
			s.boundaries[c.part.boundary] = c.shadowed
		}
		return true
	}
	if c.closed {
		c.part.note("there are parts behind its end")
	}
	p := s.newPart(c.part)
	if p == nil {
		return false
	}
	s.beginHeader(p, behind)
	return true
}

// beginHeader begins a part whose header begins there.
func (s *scanner) beginHeader(p *Part, begin int64) {
	p.from = s.r
	s.part = p
	s.header = headerState{reading: true, begin: begin, octets: s.header.octets[:0]}
}

func (s *scanner) moreHeader(line []byte) {
	h := &s.header
	if len(h.octets)+len(line) > maxHeader {
		h.tooLong = true
		return
	}
	h.octets = append(h.octets, line...)
}

// endHeader ends the header, if one is being read, and begins the body.
func (s *scanner) endHeader(body int64) {
	if !s.header.reading {
		return
	}
	s.header.reading = false
	p := s.part
	p.begin = body
	used := s.readHeader(p, s.header.octets)
	if s.header.tooLong {
		p.note("its header is too long")
		note(&s.m.Problem, "a header is too long")
	} else if used < len(s.header.octets) {
		p.begin = s.header.begin + int64(used)
	}
	isMessage := p.Type == "message/rfc822" || p.Type == "message/global"
	switch tooDeep := p.depth+1 > MaxDepth; {
	case (isMessage || p.boundary != "") && tooDeep:
		p.note("what is in it is nested too deep")
		note(&s.m.Problem, "it is nested too deep")
	case isMessage && p.transfer == identity:
		if child := s.newPart(p); child != nil {
			s.open = append(s.open, container{part: p, shadowed: -1})
			s.beginHeader(child, body)
			return
		}
	case isMessage:
		s.encoded = append(s.encoded, p)
	case p.boundary != "":
		s.enter(p)
		return
	}
	s.beginBody(p, s.header.octets[used:])
}

// enter goes into a multipart. It begins between parts: what comes before the
// first one is not for people.
func (s *scanner) enter(p *Part) {
	c := container{part: p, shadowed: -1}
	if i, taken := s.boundaries[p.boundary]; taken {
		c.shadowed = i
	}
	s.boundaries[p.boundary] = len(s.open)
	s.open = append(s.open, c)
	s.part = nil
}

// beginBody begins a leaf's body. first is what came with the header.
func (s *scanner) beginBody(p *Part, first []byte) {
	s.check = bodyCheck{transfer: p.transfer, ascii: p.isText() && isASCII(p.Charset)}
	s.check.add(first)
}

// endPart ends the leaf that is being read, if any. Its header may not be at its
// end yet: then its body is empty.
func (s *scanner) endPart(end int64) {
	for s.header.reading { // a message without a header is in a message
		s.endHeader(s.offset)
	}
	if s.part == nil {
		return
	}
	p := s.part
	p.end = max(p.begin, end)
	s.check.result(p)
	s.part = nil
}

// leave ends the containers from i on.
func (s *scanner) leave(i int, end int64) {
	for len(s.open) > i {
		last := len(s.open) - 1
		c := s.open[last]
		s.open = s.open[:last]
		p := c.part
		p.end = max(p.begin, end)
		if p.boundary == "" {
			continue // a message
		}
		if s.boundaries[p.boundary] == last {
			delete(s.boundaries, p.boundary)
			if c.shadowed >= 0 {
				s.boundaries[p.boundary] = c.shadowed
			}
		}
		switch {
		case len(p.Parts) == 0:
			p.asText("it should have parts and has none: shown as text")
		case !c.closed:
			p.note("its end is missing")
		}
	}
}
