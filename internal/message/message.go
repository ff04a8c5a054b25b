// Package message reads messages for people: headers, MIME parts, character
// sets, HTML as text. Whatever it cannot read it says, and the raw octets are
// always there: nothing here fails on a message, however broken it is. The
// server never uses it.
package message

import (
	"io"
	"time"
)

// A Summary is what a list shows of a message. Its texts are decoded and
// printable: one line, safe on a terminal.
type Summary struct {
	Date    time.Time // zero: none that can be read
	From    string    // the name, else the address
	Address string    // the address alone
	To      string
	Subject string
}

// ReadSummary reads the header at the start of octets, which may be cut off
// anywhere.
func ReadSummary(octets []byte) Summary { return Summary{} }

// A Message is one message in parts. It reads from the io.ReaderAt whenever it is
// asked for something, so that a large one costs little memory.
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
	Charset  string
	Name     string // the file name that the sender gave, printable; often empty
	Inline   bool   // Content-Disposition says inline, or nothing
	ID       string // Content-ID, without its brackets
	Encoding string // Content-Transfer-Encoding, lower case
	Header   []Field
	Parts    []*Part
	Problem  string
}

// Limits of what is opened, against messages made to exhaust their reader.
const (
	MaxDepth = 200
	MaxParts = 5000
)

// Open reads the structure of the message in r. The caller keeps r open as long
// as the Message is used.
func Open(r io.ReaderAt, size int64) *Message { return &Message{Root: &Part{}} }

// Part returns the part with this path, or nil.
func (m *Message) Part(path string) *Part { return nil }

// Body returns the part that a person reads first: the best text part; plain
// says whether text is preferred to HTML. nil: there is none.
func (m *Message) Body(plain bool) *Part { return nil }

// Attachments returns the leaf parts that are not shown as the body.
func (m *Message) Attachments() []*Part { return nil }

// Content returns the part's octets, transfer encoding removed.
func (m *Message) Content(p *Part) (io.Reader, error) { return nil, io.EOF }

// Text returns a text part in UTF-8, whatever its character set, up to limit
// octets; cut says that there is more. HTML comes as HTML. It is not Printable
// yet.
func (m *Message) Text(p *Part, limit int64) (text string, cut bool, err error) {
	return "", false, nil
}

// FileName returns a name for saving the part: the sender's without folders,
// leading dots, control characters or other traps, at most 100 octets; else one
// made from its type ("part-2.1.png"). It is never empty.
func (p *Part) FileName() string { return "part" }

// HTMLText returns HTML as text: paragraphs, lists, links with their targets,
// tables in rows; no scripts, styles or pictures but their descriptions.
func HTMLText(html string) string { return html }

// Printable returns text as it may go to a terminal: no escapes, no control
// characters but LF and TAB, no marks that reorder text (bidi overrides); each is
// replaced by a visible sign.
func Printable(s string) string { return s }

// PrintableLine is Printable in one line: runs of white space are one space.
func PrintableLine(s string) string { return s }
