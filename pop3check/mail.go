package pop3check

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
)

// marker is the header field by which our messages are known. Its value has a
// checksum of the message, so that those of an older checker are not taken for
// today's.
const marker = "X-Postfach-Check"

// A message is one that checks need in the maildrop.
type message struct {
	name   string
	stored []byte // as it is delivered
	wire   []byte // as RETR must send it, unstuffed; a delivery may put header fields in front
}

// A letter is a message before it has a marker.
type letter struct{ name, octets string }

// ourLetters returns all messages that checks may ask login for.
func ourLetters() []letter {
	var all []letter
	add := func(name, octets string) { all = append(all, letter{name, octets}) }

	// The catalogue's m1: lines that begin with dots.
	add("dots", "From: a@example.com\r\nSubject: dots\r\n\r\n.\r\n..two\r\nlast\r\n")
	add("only-dots", "From: a@example.com\r\nSubject: only dots\r\n\r\n.\r\n..\r\n...\r\n.\r\n")

	// Line ends. The catalogue's m2, and its m3: no end of the last line.
	add("lf", "From: a@example.com\nSubject: stored with LF\n\nfirst\n\n.third\nlast\n")
	add("no-end", "From: a@example.com\nSubject: no last line end\n\nfirst\nlast")
	// LF . LF ends the reply for a client that takes LF for a line end.
	add("lf-trap", "From: a@example.com\nSubject: a dot between LF\n\na\n.\nb\n")
	add("mixed-ends", "From: a@example.com\r\nSubject: a dot between LF, elsewhere CR LF\r\n\r\na\n.\nb\r\n")

	// Messages that end early.
	add("header-only", "From: a@example.com\r\nSubject: an empty body\r\n\r\n")
	add("no-blank", "From: a@example.com\r\nSubject: no empty line behind the header\r\n")
	add("empty-line", "From: a@example.com\r\nSubject: a body of one empty line\r\n\r\n\r\n")

	// Octets.
	add("eight-bit", "From: a@example.com\r\nSubject: eight bits\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe \xe2\x82\xac\r\n")
	add("octets", "From: a@example.com\r\nSubject: all octets but NUL, CR and LF\r\n\r\n"+octets())
	// A delivery may refuse or alter what only these two have.
	add("nul", "From: a@example.com\r\nSubject: NUL\r\n\r\na\x00b\r\n")
	add("bare-cr", "From: a@example.com\r\nSubject: bare CR\r\n\r\na\rb\r\n.\r\n")
	add("utf8-header", "From: J\xc3\xb6rg <a@example.com>\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nbody\r\n")
	add("utf8-address", "From: J\xc3\xb6rg <j\xc3\xb6rg@example.com>\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nfirst\r\nsecond\r\n")

	// Sizes.
	add("long-line", "From: a@example.com\r\nSubject: a line of 1 MB\r\n\r\n"+strings.Repeat("0123456789abcdef", 1<<16)+"\r\n.after\r\n")
	add("long-header", "From: a@example.com\r\nSubject: fifty lines\r\n"+numberedLines("X-Line-%d: x\r\n\tfolded\r\n", 24)+
		"\r\nfirst\r\n.second\r\nthird\r\nfourth\r\n")
	add("many-lines", "From: a@example.com\r\nSubject: many lines\r\n\r\n"+numberedLines("line %d\r\n.dot\r\n", 1000))

	// Delivered twice, it has an identical copy.
	add("twin", "From: a@example.com\r\nSubject: twin\r\n\r\nlike the other one\r\n")
	return all
}

// octets returns lines that have all octets but NUL, CR and LF.
func octets() string {
	var b strings.Builder
	for o := 1; o < 256; o++ {
		if o == '\r' || o == '\n' {
			continue
		}
		if o%16 == 0 {
			b.WriteString("\r\n")
		}
		b.WriteByte(byte(o))
	}
	return b.String() + "\r\n"
}

// numberedLines repeats a format with one number in it.
func numberedLines(format string, times int) string {
	var b strings.Builder
	for i := range times {
		fmt.Fprintf(&b, format, i+1)
	}
	return b.String()
}

// newMessage makes a message of octets, and puts the marker in front, and a
// Message-ID, as all mail has: some servers make unique-ids of it.
func newMessage(name, octets string) message {
	sum := crc32.ChecksumIEEE([]byte(octets))
	mark := fmt.Sprintf("%s: %s %08x", marker, name, sum)
	id := fmt.Sprintf("Message-ID: <%s.%08x@example.com>", name, sum)
	end := "\r\n"
	if i := strings.IndexByte(octets, '\n'); i >= 0 && !strings.HasSuffix(octets[:i+1], end) {
		end = "\n" // the message is stored with LF
	}
	stored := []byte(mark + end + id + end + octets)
	return message{name: name, stored: stored, wire: onWire(stored)}
}

// filler is a message for checks that need one, whatever it is.
func filler(n int) string {
	return fmt.Sprintf("From: a@example.com\r\nSubject: filler %d\r\n\r\nline %d\r\n", n, n)
}

// onWire is what RETR must make of stored octets: each line end is CR LF, and
// the last line has one (P3-MSG-03, P3-MSG-07).
func onWire(stored []byte) []byte {
	wire := bytes.ReplaceAll(stored, []byte("\r\n"), []byte("\n"))
	if !bytes.HasSuffix(wire, []byte("\n")) {
		wire = append(wire, '\n')
	}
	return bytes.ReplaceAll(wire, []byte("\n"), []byte("\r\n"))
}

// ourMessage returns a message by its name; the tests see to it that checks
// name only those that exist.
func ourMessage(name string) message {
	for _, l := range ourLetters() {
		if l.name == name {
			return newMessage(name, l.octets)
		}
	}
	return message{name: name}
}

// nameOfMark returns the name in a marker's value, "" if the message is not one
// of today's.
func nameOfMark(value string) string {
	name, sum, _ := strings.Cut(value, " ")
	m := ourMessage(name)
	if m.stored == nil || !bytes.Contains(m.stored, []byte(name+" "+sum)) {
		return ""
	}
	return name
}

// sameMessage fails the check unless got is one of our messages. A delivery may
// have put header fields before ours or behind them.
func (p *probe) sameMessage(what string, want, got []byte) {
	if bytes.Equal(withoutOthers(want, got), want) {
		return
	}
	if i := bytes.Index(got, []byte(marker+":")); i > 0 {
		got = got[i:]
	}
	p.same(what, want, got)
}

// withoutOthers returns a message without the lines of its header that are not
// in the header of want.
func withoutOthers(want, message []byte) []byte {
	ours := make(map[string]bool)
	for line := range bytes.Lines(header(want)) {
		ours[string(line)] = true
	}
	var left []byte
	head := header(message)
	for line := range bytes.Lines(head) {
		if ours[string(line)] {
			left = append(left, line...)
		}
	}
	return append(left, message[len(head):]...)
}
