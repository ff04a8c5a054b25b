package message

import (
	"bytes"
	"strconv"
	"strings"
)

// parameters of a Content-Type or Content-Disposition, by name in lower case.
type parameters map[string]parameter

type parameter struct {
	octets []byte
	// text is what RFC 2231 says: decoded already. Empty: octets are raw.
	text string
}

// most parameters of a field. Those after it are not looked at.
const mostParams = 100

// parseParams splits a field such as Content-Type into its value, in lower case,
// and its parameters. It forgives missing quotes, missing spaces, spaces too
// many, comments and values given twice (the first counts), all of which are errors
// to mime.ParseMediaType.
func parseParams(raw []byte) (value string, params parameters) {
	s := paramScanner{rest: raw}
	value = s.first()
	params = make(parameters)
	var pieces map[string][]piece
	for range mostParams {
		name, octets, ok := s.param()
		if !ok {
			break
		}
		base, p, isPiece := splitPiece(name, octets)
		if isPiece {
			if pieces == nil {
				pieces = make(map[string][]piece)
			}
			pieces[base] = append(pieces[base], p)
			continue
		}
		if _, twice := params[name]; !twice {
			params[name] = parameter{octets: octets}
		}
	}
	for name, list := range pieces {
		params[name] = join(list)
	}
	return value, params
}

// A paramScanner reads parameters one by one.
type paramScanner struct{ rest []byte }

// first reads what comes before the parameters. It may be missing, or end without
// a semicolon.
func (s *paramScanner) first() string {
	raw := s.rest
	value := bytes.TrimSpace(withoutComment(s.until(";")))
	if bytes.IndexByte(value, '=') >= 0 {
		end := bytes.IndexAny(value, " \t\r\n=")
		if value[end] == '=' {
			end = 0
		}
		value, s.rest = value[:end], bytes.TrimLeft(raw, " \t\r\n")[end:]
	}
	return strings.ToLower(string(value))
}

// until returns what is before the next of these characters, or all.
func (s *paramScanner) until(chars string) []byte {
	i := bytes.IndexAny(s.rest, chars)
	if i < 0 {
		i = len(s.rest)
	}
	head := s.rest[:i]
	s.rest = s.rest[i:]
	return head
}

// param reads "; name=value". Things that are no parameter are passed over.
func (s *paramScanner) param() (name string, value []byte, ok bool) {
	for {
		s.rest = bytes.TrimLeft(s.rest, "; \t\r\n")
		if len(s.rest) == 0 {
			return "", nil, false
		}
		name = strings.ToLower(string(bytes.TrimSpace(s.until("=;"))))
		if len(s.rest) > 0 && s.rest[0] == '=' && name != "" {
			s.rest = bytes.TrimLeft(s.rest[1:], " \t\r\n")
			return name, s.value(name), true
		}
		s.rest = bytes.TrimLeft(s.rest, "=")
	}
}

func (s *paramScanner) value(name string) []byte {
	if len(s.rest) > 0 && s.rest[0] == '"' {
		return s.quoted()
	}
	value := s.until(";\n")
	if name != "name" && name != "filename" && name != "boundary" { // they have spaces and brackets
		value = withoutComment(value)
		value, _, _ = bytes.Cut(value, []byte(" "))
	}
	return bytes.Trim(value, " \t\r\"")
}

// quoted reads a quoted string. One without end ends with the line.
func (s *paramScanner) quoted() []byte {
	var value []byte
	s.rest = s.rest[1:]
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return value
		case c == '\r':
		case c == '\n':
			if i+1 == len(s.rest) {
				s.rest = nil
				return value
			}
		case c == '\\' && i+1 < len(s.rest) && (s.rest[i+1] == '"' || s.rest[i+1] == '\\'):
			i++
			value = append(value, s.rest[i])
		default:
			value = append(value, c)
		}
	}
	s.rest = nil
	return value
}

// withoutComment cuts a comment off the end.
func withoutComment(value []byte) []byte {
	if i := bytes.IndexByte(value, '('); i >= 0 {
		return value[:i]
	}
	return value
}

// A piece is a part of a parameter that RFC 2231 splits or encodes: "name*0*".
type piece struct {
	number  int
	encoded bool
	octets  []byte
}

func splitPiece(name string, octets []byte) (base string, p piece, ok bool) {
	base, suffix, ok := strings.Cut(name, "*")
	if !ok || base == "" {
		return name, piece{}, false
	}
	p.octets = octets
	number, encoded := strings.CutSuffix(suffix, "*")
	p.encoded = encoded || suffix == ""
	if number != "" {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return name, piece{}, false
		}
		p.number = n
	}
	return base, p, true
}

// join puts the pieces of a parameter together. A missing one ends it.
func join(list []piece) parameter {
	byNumber := make(map[int]piece, len(list))
	for _, p := range list {
		if _, twice := byNumber[p.number]; !twice {
			byNumber[p.number] = p
		}
	}
	var octets []byte
	var charset string
	for i := range len(list) {
		p, ok := byNumber[i]
		if !ok {
			break
		}
		value := p.octets
		if p.encoded && i == 0 {
			if parts := bytes.SplitN(value, []byte("'"), 3); len(parts) == 3 {
				charset, value = string(parts[0]), parts[2]
			}
		}
		if p.encoded {
			value = unescape(value, '%')
		}
		octets = append(octets, value...)
	}
	if charset == "" {
		return parameter{octets: octets, text: decodeGuess(octets)}
	}
	return parameter{octets: octets, text: decodeOctets(octets, charset)}
}

// text returns a parameter for people, printable.
func (ps parameters) text(name string, other decoder) string {
	p := ps[name]
	if p.text != "" {
		return PrintableLine(p.text)
	}
	return PrintableLine(decodeText(p.octets, other))
}

// charset returns the character set's name in lower case, bounded and printable.
func (ps parameters) charset() string {
	const longest = 60
	name := bytes.Trim(ps["charset"].octets, "\"' \t\r\n")
	name = name[:min(len(name), longest)]
	return PrintableLine(strings.ToLower(string(name)))
}
