package message

import (
	"bytes"
	"strings"
	"time"
)

// A Summary is what a list shows of a message. Its texts are decoded and
// printable: one line, safe on a terminal, at most 1,000 characters each.
type Summary struct {
	Date    time.Time // zero: none that can be read
	From    string    // the name, else the address
	Address string    // the address alone
	To      string
	Subject string
}

const longestText = 1000 // of a Summary, in characters

// ReadSummary reads the header at the start of octets, which may be cut off
// anywhere. It keeps none of them.
func ReadSummary(octets []byte) Summary {
	if bytes.HasPrefix(octets, []byte{0xff, 0xfe}) || bytes.HasPrefix(octets, []byte{0xfe, 0xff}) {
		octets = []byte(decodeGuess(octets)) // UTF-16
	}
	var f summaryFields
	readFields(octets, f.add)
	return f.summary()
}

// summaryFields are the fields that a Summary is made of, raw.
type summaryFields struct{ date, from, sender, to, subject, contentType []byte }

// add remembers a field. Of several, the first that says something counts.
func (f *summaryFields) add(name, value []byte) {
	if at := f.field(name); at != nil && isBlank(*at) {
		*at = value[:min(len(value), longestField)]
	}
}

func (f *summaryFields) field(name []byte) *[]byte {
	switch len(name) {
	case len("To"):
		if isNamed(name, "To") {
			return &f.to
		}
	case len("Date"):
		if isNamed(name, "Date") {
			return &f.date
		}
		if isNamed(name, "From") {
			return &f.from
		}
	case len("Sender"):
		if isNamed(name, "Sender") {
			return &f.sender
		}
	case len("Subject"):
		if isNamed(name, "Subject") {
			return &f.subject
		}
	case len("Content-Type"):
		if isNamed(name, "Content-Type") {
			return &f.contentType
		}
	}
	return nil
}

// isNamed says whether a field has this name, in any case.
func isNamed(name []byte, want string) bool {
	return len(name) == len(want) && strings.EqualFold(string(name), want)
}

func (f *summaryFields) summary() Summary {
	s := Summary{
		Date:    parseDate(f.date),
		To:      f.recipients(),
		Subject: shorten(PrintableLine(decodeText(f.subject, f.contentType))),
	}
	from := f.from
	if isBlank(from) {
		from = f.sender
	}
	readAddresses(from, f.contentType, func(a address) bool {
		s.From, s.Address = shorten(a.label()), shorten(a.addr)
		return false
	})
	return s
}

func (f *summaryFields) recipients() string {
	var all strings.Builder
	readAddresses(f.to, f.contentType, func(a address) bool {
		if all.Len() > 0 {
			all.WriteString(", ")
		}
		all.WriteString(a.label())
		return all.Len() < longestText*4
	})
	return shorten(all.String())
}

// shorten cuts a text that is too long, and gives it memory of its own: nothing
// of the header must stay because of it.
func shorten(s string) string {
	if len(s) > longestText {
		n := 0
		for i := range s {
			if n++; n == longestText {
				return s[:i] + "…"
			}
		}
	}
	return strings.Clone(s)
}
