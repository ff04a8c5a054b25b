package message

import (
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
	switch {
	case isNamed(name, "Date"):
		return &f.date
	case isNamed(name, "From"):
		return &f.from
	case isNamed(name, "Sender"):
		return &f.sender
	case isNamed(name, "To"):
		return &f.to
	case isNamed(name, "Subject"):
		return &f.subject
	case isNamed(name, "Content-Type"):
		return &f.contentType
	}
	return nil
}

// isNamed says whether a field has this name, in any case.
func isNamed(name []byte, want string) bool {
	return len(name) == len(want) && strings.EqualFold(string(name), want)
}

func (f *summaryFields) summary() Summary {
	other := otherCharset(f.contentType)
	s := Summary{
		Date:    parseDate(f.date),
		To:      f.recipients(other),
		Subject: shorten(PrintableLine(decodeText(f.subject, other))),
	}
	from := f.from
	if isBlank(from) {
		from = f.sender
	}
	readAddresses(from, other, func(a address) bool {
		s.From, s.Address = shorten(a.label()), shorten(a.addr)
		return false
	})
	return s
}

func (f *summaryFields) recipients(other decoder) string {
	var all strings.Builder
	readAddresses(f.to, other, func(a address) bool {
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
