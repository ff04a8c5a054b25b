package message

import (
	"bytes"
	"strings"
)

const (
	longestBoundary = 1000     // octets; RFC 2046 allows 70
	longestField    = 16 << 10 // octets of a field's value that are decoded
	longestName     = 1000     // octets of a field name, and of a file name
)

// A rawField is a field as it came.
type rawField struct{ name, value []byte }

// partFields are the fields that say what a part is, raw.
type partFields struct{ contentType, disposition, transfer, id []byte }

// add remembers a field. Of several, the first that says something counts.
func (f *partFields) add(name, value []byte) {
	if at := f.field(name); at != nil && isBlank(*at) {
		*at = value[:min(len(value), longestField)]
	}
}

func (f *partFields) field(name []byte) *[]byte {
	switch {
	case isNamed(name, "Content-Type"):
		return &f.contentType
	case isNamed(name, "Content-Disposition"):
		return &f.disposition
	case isNamed(name, "Content-Transfer-Encoding"):
		return &f.transfer
	case isNamed(name, "Content-ID"):
		return &f.id
	}
	return nil
}

// readHeader reads a part's header. used is where its body begins.
func (s *scanner) readHeader(p *Part, octets []byte) (used int) {
	var all []rawField
	var f partFields
	var summary summaryFields
	used, strange := readFields(octets, func(name, value []byte) {
		f.add(name, value)
		summary.add(name, value)
		if s.fields < maxFields && s.octets < maxHeaders {
			s.fields++
			s.octets += len(name) + len(value)
			all = append(all, rawField{name, value})
		} else {
			p.note("its header is not shown to its end")
			note(&s.m.Problem, "it has too many header fields")
		}
	})
	if strange {
		p.note("lines in its header are no fields")
	}
	other := otherCharset(f.contentType)
	p.Header = make([]Field, len(all))
	for i, raw := range all {
		p.Header[i] = Field{string(raw.name[:min(len(raw.name), longestName)]), decodeField(raw.value, other)}
	}
	p.describe(f, s.defaultType(), other)
	if p == s.m.Root {
		s.summary = summary.summary()
	}
	return used
}

// defaultType is what a part is that does not say.
func (s *scanner) defaultType() string {
	if n := len(s.open); n > 0 && s.open[n-1].part.Type == "multipart/digest" {
		return "message/rfc822"
	}
	return "text/plain"
}

func decodeField(value []byte, other decoder) string {
	if len(value) > longestField {
		return PrintableLine(decodeText(value[:longestField], other)) + "…"
	}
	return PrintableLine(decodeText(value, other))
}

// describe sets what the fields say about the part.
func (p *Part) describe(f partFields, defaultType string, other decoder) {
	value, params := parseParams(f.contentType)
	disposition, dispositionParams := parseParams(f.disposition)

	p.Type = defaultType
	switch {
	case isType(value):
		p.Type = value
	case value == "text": // RFC 1049
	case f.contentType != nil:
		p.Type = resembling(value)
		p.note("its type cannot be read")
	}
	p.Charset = params.charset()
	p.Inline = disposition == "" || disposition == "inline"
	p.Name = dispositionParams.text("filename", other)
	if p.Name == "" {
		p.Name = params.text("name", other)
	}
	if len(p.Name) > longestName {
		p.Name = cutKeepingExtension(p.Name, longestName)
	}
	p.ID = contentID(PrintableLine(decodeRaw(f.id[:min(len(f.id), longestName)], nil)))
	p.start = contentID(params.text("start", nil))

	known := false
	p.Encoding, p.transfer, known = parseTransfer(f.transfer)
	if !known {
		p.note("its transfer encoding is not known: shown as it is")
	}
	if p.isText() && p.Charset != "" && !isASCII(p.Charset) && lookup(p.Charset) == nil {
		p.note("its character set is not known: guessed")
	}
	if strings.HasPrefix(p.Type, "multipart/") {
		p.boundary = string(bytes.TrimRight(params["boundary"].octets, " \t\r\n"))
		if p.boundary == "" || len(p.boundary) > longestBoundary {
			p.boundary = ""
			p.asText("its parts cannot be told apart: shown as text")
		}
	}
}

// isText says whether the part has text for people.
func (p *Part) isText() bool { return strings.HasPrefix(p.Type, "text/") }

// asText makes a text of a part that cannot be what it says.
func (p *Part) asText(problem string) {
	p.Type = "text/plain"
	p.note(problem)
}

// isType says whether s is a media type: two tokens.
func isType(s string) bool {
	const longest = 127 * 2 // RFC 6838, section 4.2
	main, sub, ok := strings.Cut(s, "/")
	return ok && len(s) <= longest && isToken(main) && isToken(sub)
}

func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// resembling returns the type that something unreadable most likely means.
func resembling(s string) string {
	switch {
	case strings.Contains(s, "html"):
		return "text/html"
	case s == "", strings.HasPrefix(s, "text"):
		return "text/plain"
	}
	return "application/octet-stream"
}
