package message

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

var errNoPart = errors.New("there is no such part")

// Content returns the part's octets, transfer encoding removed. What cannot be
// decoded is no error (see Part.Problem): reading fails only where the message
// itself cannot be read.
func (m *Message) Content(p *Part) (io.Reader, error) {
	if p == nil || p.from == nil {
		return nil, errNoPart
	}
	return p.transfer.reader(io.NewSectionReader(p.from, p.begin, p.Size())), nil
}

// Text returns a text part in UTF-8, whatever its character set, up to limit
// octets; cut says that there is more. HTML comes as HTML. It is not Printable
// yet.
func (m *Message) Text(p *Part, limit int64) (text string, cut bool, err error) {
	r, err := m.Content(p)
	if err != nil {
		return "", false, err
	}
	limit = min(max(limit, 0), math.MaxInt64-utf8.UTFMax)
	octets, err := io.ReadAll(io.LimitReader(r, limit+utf8.UTFMax))
	if err != nil {
		return "", false, err
	}
	if int64(len(octets)) > limit {
		octets, cut = octets[:wholeRunes(octets, limit)], true
	}
	text = p.decode(octets)
	if int64(len(text)) > limit {
		text, cut = text[:wholeRunes([]byte(text), limit)], true
	}
	return text, cut, nil
}

// wholeRunes returns the most octets up to limit that cut no UTF-8 character.
func wholeRunes(text []byte, limit int64) int64 {
	n := limit
	for n > 0 && limit-n < utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	if n > 0 && !utf8.RuneStart(text[n]) {
		return limit // not UTF-8
	}
	return n
}

func (p *Part) decode(octets []byte) string {
	if p.Type == "text/html" && p.Charset == "" {
		return decodeHTML(octets)
	}
	return decodeOctets(octets, p.Charset)
}

// Body returns the part that a person reads first: the best text part; plain
// says whether text is preferred to HTML. nil: there is none.
func (m *Message) Body(plain bool) *Part {
	// What is sent to be read comes first, then what is in a forwarded message,
	// then a text that came as a file.
	for _, c := range []chooser{{}, {messages: true}, {messages: true, files: true}} {
		c.plain = plain
		if p := c.choose(m.Root); p != nil {
			return p
		}
	}
	return nil
}

// Attachments returns the leaf parts that are not shown as the body, be it text
// or HTML. A message in the message is one attachment, unless the body is in it.
func (m *Message) Attachments() []*Part {
	bodies := [2]*Part{m.Body(true), m.Body(false)}
	return appendAttachments(nil, m.Root, bodies)
}

func appendAttachments(list []*Part, p *Part, bodies [2]*Part) []*Part {
	if p == bodies[0] || p == bodies[1] {
		return list
	}
	whole := len(p.Parts) == 0 || !strings.HasPrefix(p.Type, "multipart/")
	if whole && p.depth > 0 || len(p.Parts) == 0 {
		list = append(list, p)
	}
	if whole && !p.holds(bodies[0]) {
		return list
	}
	for _, c := range p.Parts {
		list = appendAttachments(list, c, bodies)
	}
	return list
}

// holds says whether q is in p.
func (p *Part) holds(q *Part) bool {
	found := false
	p.walk(func(c *Part) bool {
		found = found || c == q
		return !found
	})
	return found
}

// A chooser finds a message's body.
type chooser struct {
	plain    bool // text is preferred to HTML
	messages bool // looks into messages in the message
	files    bool // takes texts that came as files
}

func (c chooser) choose(p *Part) *Part {
	switch {
	case len(p.Parts) == 0:
		if p.isText() && (p.Inline || c.files) {
			return p
		}
		return nil
	case p.Type == "multipart/alternative":
		return c.alternative(p)
	case !strings.HasPrefix(p.Type, "multipart/") && !c.messages:
		return nil
	}
	return c.first(p.inOrder())
}

// inOrder returns the parts in the order of their weight: multipart/related may
// name the one to start with.
func (p *Part) inOrder() []*Part {
	i := slices.IndexFunc(p.Parts, func(child *Part) bool { return child.ID == p.start })
	if p.Type != "multipart/related" || p.start == "" || i < 0 {
		return p.Parts
	}
	return slices.Concat(p.Parts[i:i+1], p.Parts[:i], p.Parts[i+1:])
}

// first returns the first text among the parts that is not empty, else the first.
func (c chooser) first(parts []*Part) *Part {
	var empty *Part
	for _, child := range parts {
		best := c.choose(child)
		switch {
		case best == nil:
		case best.Size() > int64(len("\n\n")):
			return best
		case empty == nil:
			empty = best
		}
	}
	return empty
}

// alternative returns the most wanted form of a text; of equals the last, as the
// sender prefers it.
func (c chooser) alternative(p *Part) *Part {
	var best *Part
	for _, child := range p.Parts {
		if b := c.choose(child); b != nil && (best == nil || c.rank(b) >= c.rank(best)) {
			best = b
		}
	}
	return best
}

func (c chooser) rank(p *Part) int {
	switch {
	case (p.Type == "text/plain") == c.plain && (p.Type == "text/html") != c.plain:
		return 3
	case p.Type == "text/plain", p.Type == "text/html":
		return 2
	}
	return 1
}
