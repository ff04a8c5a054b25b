// Package awkward makes messages and maildrops to test with: those that the
// transcripts speak of, and those that mail programs get wrong. Equal calls
// return equal octets: no clock, no chance.
package awkward

import (
	"bytes"
	"fmt"
	"strings"
)

// A Message is one message as a store keeps it.
type Message struct {
	Name   string // says what is awkward about it
	Octets []byte
}

// Wire returns what RETR sends, byte-stuffing removed: LF becomes CR LF, and a
// last line without line end gets one (P3-MSG-03, P3-MSG-07). It shares no
// code with the server: it is what the server is compared with.
func (m Message) Wire() []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(m.Octets) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		b.Write(line)
		b.WriteString("\r\n")
	}
	// A CR at the very end has no LF behind it: it is data.
	if n := len(m.Octets); n > 0 && m.Octets[n-1] == '\r' {
		b.Truncate(b.Len() - 2)
		b.WriteString("\r\r\n")
	}
	return b.Bytes()
}

// header is what every message here begins with, so that programs which look
// at headers find what they look for.
func header(subject string) string {
	return "From: Ada <ada@example.org>\n" +
		"To: Ben <ben@example.org>\n" +
		"Date: Thu, 01 Jan 2026 12:00:00 +0000\n" +
		"Message-ID: <" + strings.ReplaceAll(subject, " ", "-") + "@example.org>\n" +
		"Subject: " + subject + "\n\n"
}

// plain returns a small message with this body.
func plain(name, body string) Message {
	return Message{name, []byte(header(name) + body)}
}

// crlf stores m with CR LF instead of LF.
func (m Message) crlf(name string) Message {
	return Message{name, bytes.ReplaceAll(m.Octets, []byte("\n"), []byte("\r\n"))}
}

// Messages returns the awkward ones, all of them different.
func Messages() []Message {
	dots := plain("dots", ".\n..\n...\n.leading\n..two\nnot . leading\n.\n")
	return []Message{
		plain("plain", "Hello.\n"),
		plain("plain stored with CRLF", "Hello.\n").crlf("plain stored with CRLF"),
		dots,
		dots.crlf("dots stored with CRLF"),
		{"a dot is the first octet", []byte(".Header: none\n\n.\n")},
		plain("no line end at the end", "last"),
		plain("no line end after a dot", "."),
		plain("CRLF without line end at the end", "last").crlf("CRLF without line end at the end"),
		{"no body", []byte("From: ada@example.org\nSubject: no body\n\n")},
		{"no empty line", []byte("From: ada@example.org\nSubject: no empty line\n")},
		{"no empty line and no line end", []byte("From: ada@example.org\nSubject: cut")},
		{"no header", []byte("\nonly a body\n")},
		plain("empty lines", "\n\n\n\n"),
		plain("mixed line ends", "lf\ncrlf\r\nlf\ncrlf\r\n"),
		plain("bare CR", "a\rb\n\rc\nd\r\n"),
		plain("CR CR LF", "a\r\r\nb\r\r\n"),
		plain("CR at the end", "a\r"),
		plain("NUL", "a\x00b\n\x00\nc\x00\n"),
		plain("all octets", allOctets()),
		plain("8-bit text", "Grüße aus Köln\nund \xe4\xf6\xfc in Latin-1\n"),
		{"8-bit header", []byte("From: J\u00f6rg <joerg@example.org>\nSubject: Gr\xfc\xdfe\n\nx\n")},
		{"mbox line first", []byte("From ada@example.org Thu Jan  1 12:00:00 2026\nSubject: mbox line\n\nFrom here on\n>From there\n")},
		plain("From in the body", "From the beginning\n>From quoted\n"),
		plain("lone terminator look", "a\n.\nb\n\n.\n\n"),
		plain("protocol words", "+OK\n-ERR\n.\nQUIT\n+OK 3 3\n"),
		plain("white space at the ends", " a \n\tb\t\n   \n"),
		plain("line of 998", strings.Repeat("x", 998)+"\n"),
		plain("line of 999", strings.Repeat("x", 999)+"\n"),
		plain("line of 2048", strings.Repeat("x", 2047)+"\n"),
		plain("line of 8192", strings.Repeat("y", 8191)+"\n"),
		plain("line of 100000", strings.Repeat("z", 100_000)+"\n"),
		plain("dots after long lines", strings.Repeat(strings.Repeat("d", 1022)+"\n.\n", 40)),
		plain("only dots", strings.Repeat(".\n", 500)),
		plain("dots in one line", strings.Repeat(".", 5000)+"\n"),
		{"long header", []byte("From: ada@example.org\nX-Long: " + strings.Repeat("h", 20_000) + "\nSubject: long header\n\nx\n")},
		{"many headers", []byte("From: ada@example.org\n" + strings.Repeat("X-Many: y\n", 2000) + "\nx\n")},
		{"folded header", []byte("From: ada@example.org\nSubject: folded\n header\n\tagain\n\nx\n")},
		plain("buffer edge 4096", edge(4096)),
		plain("buffer edge 8192", edge(8192)),
		plain("buffer edge 16384", edge(16384)),
		plain("a megabyte", strings.Repeat(strings.Repeat("m", 75)+"\n", 1<<20/76)),
		plain("escape sequences", "\x1b[31mred\x1b[0m\x07\x08\n"),
	}
}

func allOctets() string {
	var b strings.Builder
	for c := range 256 {
		if c != '\n' {
			b.WriteByte(byte(c))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// edge puts lines with dots around the octet n of the whole message.
func edge(n int) string {
	used := len(header(fmt.Sprintf("buffer edge %d", n)))
	var b strings.Builder
	for b.Len() < n-used-12 {
		b.WriteString("e")
		if b.Len()%60 == 0 {
			b.WriteByte('\n')
		}
	}
	b.WriteString(strings.Repeat("\n.", 12))
	b.WriteString("\n")
	return b.String()
}
