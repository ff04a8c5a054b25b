package message

import (
	"bytes"
	"io"
	"strconv"
)

// More limits of what is opened. What is beyond them is in the raw view.
const (
	maxHeader  = 1 << 20  // octets of a part's header
	maxHeaders = 4 << 20  // octets of all headers together
	maxFields  = 50_000   // of all headers together
	maxDecoded = 16 << 20 // octets of messages that are in parts as base64
	scanBuffer = 64 << 10 // longer lines are looked at in pieces
)

// Open reads the structure of the message in r. The caller keeps r open as long
// as the Message is used.
func Open(r io.ReaderAt, size int64) *Message {
	m := &Message{}
	o := opener{m: m}
	m.Root = o.newPart(nil)
	s := newScanner(&o, r, size)
	s.beginHeader(m.Root, 0)
	s.run()
	for len(o.encoded) > 0 {
		p := o.encoded[0]
		o.encoded = o.encoded[1:]
		o.openEncoded(p)
	}
	m.Header = m.Root.Header
	m.Summary = o.summary
	return m
}

// An opener counts what is opened, over all scanners.
type opener struct {
	m       *Message
	summary Summary
	parts   int
	octets  int   // of headers
	fields  int   // of headers
	decoded int64 // octets of encoded messages
	encoded []*Part
}

// newPart returns a new part in parent, or nil if there are too many.
func (o *opener) newPart(parent *Part) *Part {
	if o.parts == MaxParts {
		note(&o.m.Problem, "it has too many parts")
		return nil
	}
	o.parts++
	if parent == nil {
		return &Part{}
	}
	path := strconv.Itoa(len(parent.Parts) + 1)
	if parent.Path != "" {
		path = parent.Path + "." + path
	}
	p := &Part{Path: path, depth: parent.depth + 1}
	parent.Parts = append(parent.Parts, p)
	return p
}

// openEncoded opens a message that is in a part with a transfer encoding, which
// the RFCs forbid and some programs do. It is kept in memory.
func (o *opener) openEncoded(p *Part) {
	r := p.transfer.reader(io.NewSectionReader(p.from, p.begin, p.Size()))
	octets, err := io.ReadAll(io.LimitReader(r, maxDecoded-o.decoded+1))
	o.decoded += int64(len(octets))
	if err != nil || o.decoded > maxDecoded {
		p.note("the message in it is too large to open: save it")
		o.decoded = maxDecoded
		return
	}
	child := o.newPart(p)
	if child == nil {
		return
	}
	s := newScanner(o, bytes.NewReader(octets), int64(len(octets)))
	s.beginHeader(child, 0)
	s.run()
}
