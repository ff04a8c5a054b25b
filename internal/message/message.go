// Package message reads messages for people: headers, MIME parts, character
// sets, HTML as text. Whatever it cannot read it says, and the raw octets are
// always there: nothing here fails on a message, however broken it is. The
// server never uses it.
//
// A part is a range of octets. Open reads the message once, line by line, and
// remembers where the parts begin and end; to look at one is to read its range
// again.
package message

import (
	"io"
	"iter"
	"strings"
)

// A Message is one message in parts. It reads from the io.ReaderAt whenever it is
// asked for something, so that a large one costs little memory. Nothing changes
// it: many goroutines may ask.
type Message struct {
	Summary Summary
	Header  []Field // all fields, in their order
	Root    *Part
	// Problem says why the parts are not all of the message; empty: they are.
	// The raw view shows the rest.
	Problem string
}

// A Field is a header field, decoded and printable.
type Field struct{ Name, Value string }

// A Part is a MIME part.
type Part struct {
	// Path names the part: "1", "2.1". The root's is empty.
	Path     string
	Type     string // "text/plain", lower case
	Charset  string // lower case; empty: none is given
	Name     string // the file name that the sender gave, printable; often empty
	Inline   bool   // Content-Disposition says inline, or nothing
	ID       string // Content-ID, without its brackets
	Encoding string // Content-Transfer-Encoding, lower case; empty: none is given
	Header   []Field
	Parts    []*Part
	// Problem says what cannot be read as it was meant; empty: nothing. What
	// can be read is there all the same.
	Problem string

	depth      int
	boundary   string      // of a multipart
	start      string      // multipart/related: the ID of the part to show first
	from       io.ReaderAt // what the range is of
	begin, end int64       // the body, transfer-encoded
	transfer   transfer    // how to decode it
}

// Limits of what is opened, against messages made to exhaust their reader.
const (
	MaxDepth = 200
	MaxParts = 5000
)

// Size returns how many octets the part's body has in the message: with its
// transfer encoding, without its header.
func (p *Part) Size() int64 { return p.end - p.begin }

// Depth returns how many parts the part is in. The root is in none.
func (p *Part) Depth() int { return p.depth }

// Parts returns all parts, the root first, each before the parts in it.
func (m *Message) Parts() iter.Seq[*Part] {
	return func(yield func(*Part) bool) { m.Root.walk(yield) }
}

func (p *Part) walk(yield func(*Part) bool) bool {
	if !yield(p) {
		return false
	}
	for _, c := range p.Parts {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Part returns the part with this path, or nil.
func (m *Message) Part(path string) *Part {
	for p := range m.Parts() {
		if p.Path == path {
			return p
		}
	}
	return nil
}

// ByID returns the first part with this Content-ID, with or without its
// brackets, or nil: for the pictures in HTML.
func (m *Message) ByID(id string) *Part {
	id = contentID(id)
	if id == "" {
		return nil
	}
	for p := range m.Parts() {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func contentID(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
}

// note adds to the part's Problem.
func (p *Part) note(problem string) { note(&p.Problem, problem) }

func note(all *string, problem string) {
	switch {
	case problem == "", strings.Contains(*all, problem):
	case *all == "":
		*all = problem
	default:
		*all += "; " + problem
	}
}
