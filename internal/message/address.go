package message

import (
	"bytes"
	"strings"
)

// An address of a From or To field, printable.
type address struct{ name, addr string }

// label returns what a list shows: the name, else the address.
func (a address) label() string {
	if a.name != "" {
		return a.name
	}
	return a.addr
}

// readAddresses calls each for the addresses in a field until it returns false.
// It forgives whatever it can: what looks like an address is one. A group without
// members counts as one, too ("undisclosed-recipients:;"). To net/mail a whole list
// is wrong if one address is.
func readAddresses(raw []byte, other decoder, each func(address) bool) {
	p := addressParser{other: other}
	for i := 0; i < len(raw); {
		n, ends := p.next(raw[i:])
		i += n
		if ends && !p.emit(each) {
			return
		}
	}
	p.emit(each)
}

// An addressParser gathers one address.
type addressParser struct {
	other     decoder
	phrase    []byte // outside of angle brackets, unquoted
	literal   []byte // the same with its quotes: an address without brackets
	angle     []byte // inside of angle brackets
	comment   []byte
	inside    bool // of angle brackets
	bracketed bool // there were some
	group     []byte
	unquoted  bool // there is no closing quote any more
}

// next takes the next piece of the field. ends says that it ends an address.
func (p *addressParser) next(raw []byte) (n int, ends bool) {
	switch c := raw[0]; {
	case c == '"' && !p.unquoted:
		return p.quoted(raw), false
	case c == '"':
	case c == '(':
		return p.skipComment(raw), false
	case c == '<' && !p.inside:
		p.inside, p.bracketed = true, true
	case c == '>': // a stray one is nothing
		p.inside = false
	case c == ',' && p.inside && bytes.HasPrefix(p.angle, []byte("@")):
		p.angle = append(p.angle, c) // a route of RFC 822
	case c == ',':
		return 1, true
	case c == ';' && !p.inside:
		return 1, true
	case c == ':' && !p.inside && !bytes.ContainsRune(p.literal, '@') && !bytes.ContainsRune(p.literal, '['):
		p.group = bytes.Clone(p.phrase)
		p.phrase, p.literal = p.phrase[:0], p.literal[:0]
	case c == '=' && bytes.HasPrefix(raw, []byte("=?")):
		if _, n := parseWord(raw); n > 0 {
			p.put(raw[:n], raw[:n])
			return n, false
		}
		p.put(raw[:1], raw[:1])
	default:
		p.put(raw[:1], raw[:1])
	}
	return 1, false
}

func (p *addressParser) put(unquoted, literal []byte) {
	if p.inside {
		p.angle = append(p.angle, literal...)
		return
	}
	p.phrase = append(p.phrase, unquoted...)
	p.literal = append(p.literal, literal...)
}

// quoted takes a quoted string. A quote without an end is nothing.
func (p *addressParser) quoted(raw []byte) int {
	var unquoted []byte
	for i := 1; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			p.put(unquoted, raw[:i+1])
			return i + 1
		case c == '\\' && i+1 < len(raw):
			i++
			unquoted = append(unquoted, raw[i])
		default:
			unquoted = append(unquoted, c)
		}
	}
	p.unquoted = true
	return 1
}

func (p *addressParser) skipComment(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '(':
			depth++
		case ')':
			depth--
		case '\\':
			i++
		}
		if depth == 0 {
			p.comment = append(append(p.comment, raw[1:i]...), ' ')
			return i + 1
		}
	}
	p.comment = append(p.comment, raw[1:]...)
	return len(raw)
}

// emit hands over what was gathered, and begins anew.
func (p *addressParser) emit(each func(address) bool) bool {
	a := p.address()
	group := p.group
	*p = addressParser{
		other: p.other, unquoted: p.unquoted,
		phrase: p.phrase[:0], literal: p.literal[:0], angle: p.angle[:0], comment: p.comment[:0],
	}
	if a == (address{}) {
		a.name = p.readable(group)
	}
	return a == (address{}) || each(a)
}

func (p *addressParser) address() address {
	if p.bracketed {
		name := p.readable(p.phrase)
		if name == "" {
			name = p.readable(p.comment)
		}
		angle := p.angle
		if bytes.HasPrefix(angle, []byte("@")) {
			angle = angle[bytes.LastIndexByte(angle, ':')+1:]
		}
		return address{name, p.spec(angle)}
	}
	if !bytes.Contains(p.literal, []byte("@")) {
		return address{name: p.readable(p.phrase)}
	}
	return address{p.readable(p.comment), p.spec(p.literal)}
}

func (p *addressParser) readable(raw []byte) string {
	return PrintableLine(decodeText(raw, p.other))
}

// spec returns an address alone. White space has no meaning in it.
func (p *addressParser) spec(raw []byte) string {
	s := PrintableLine(decodeRaw(raw, p.other))
	if !strings.Contains(s, `"`) {
		s = strings.ReplaceAll(s, " ", "")
	}
	return s
}
