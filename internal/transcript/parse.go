package transcript

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ParseFile reads a script from a file and names it after the file.
func ParseFile(name string) (*Script, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(filepath.Base(name), string(text))
}

// Parse reads a script. Its errors are *SyntaxError.
func Parse(name, text string) (*Script, error) {
	s := &Script{Name: name}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if setting, ok := strings.CutPrefix(line, "#!"); ok {
			if problem := s.Settings.set(setting); problem != "" {
				return nil, &SyntaxError{name, number, problem}
			}
			continue
		}
		l, problem := parseLine(line)
		if problem != "" {
			return nil, &SyntaxError{name, number, problem}
		}
		l.Number = number
		s.Lines = append(s.Lines, l)
	}
	return s, s.check()
}

// check refuses "S: ..." with nothing to stop at.
func (s *Script) check() error {
	var skip *Line
	for i := range s.Lines {
		l := &s.Lines[i]
		switch {
		case l.Kind == Comment:
		case l.Kind == Skip:
			skip = l
		case skip != nil && l.Kind != Server:
			return &SyntaxError{s.Name, skip.Number, "S: ... needs an S: line after it"}
		default:
			skip = nil
		}
	}
	if skip != nil {
		return &SyntaxError{s.Name, skip.Number, "S: ... needs an S: line after it"}
	}
	return nil
}

func parseLine(line string) (l Line, problem string) {
	switch line {
	case "(tls)":
		return Line{Kind: TLS}, ""
	case "(close)":
		return Line{Kind: Close}, ""
	case "(hangup)":
		return Line{Kind: Hangup}, ""
	case "S: ...":
		return Line{Kind: Skip}, ""
	}
	if comment, ok := strings.CutPrefix(line, "#"); ok {
		return Line{Kind: Comment, Text: comment}, ""
	}
	if name, ok := strings.CutPrefix(line, "(connection "); ok {
		name, closed := strings.CutSuffix(name, ")")
		name, ok := Unescape(name)
		if !closed || !ok || name == "" {
			return l, "want (connection NAME)"
		}
		return Line{Kind: Connection, Text: name}, ""
	}
	side, text, found := strings.Cut(line, ":")
	switch side {
	case "C":
		l.Kind = Client
	case "S":
		l.Kind = Server
	default:
		found = false
	}
	if !found || text != "" && text[0] != ' ' {
		return l, `want "C: ", "S: ", "#" or a line in brackets`
	}
	text = strings.TrimPrefix(text, " ")
	if n := len(text) - len(strings.TrimRight(text, `\`)); n%2 == 1 {
		l.NoEnd = true
		text = text[:len(text)-1]
	}
	l.Parts, problem = parseParts(text, l.Kind)
	return l, problem
}

// parseParts splits a line's text at its placeholders.
func parseParts(text string, kind Kind) (parts []Part, problem string) {
	for text != "" {
		before, after, found := strings.Cut(text, "{")
		if before != "" {
			octets, ok := Unescape(before)
			if !ok {
				return nil, `bad escape: want \\ or \xNN`
			}
			parts = append(parts, Part{Octets: octets})
		}
		if !found {
			break
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return nil, `"{" without "}"; a plain one is \x7b`
		}
		part, problem := parsePlaceholder(name, kind)
		if problem != "" {
			return nil, problem
		}
		if part.Rest && rest != "" {
			return nil, "{*} is the rest of the line: nothing can follow"
		}
		parts = append(parts, part)
		text = rest
	}
	return parts, ""
}

func parsePlaceholder(name string, kind Kind) (p Part, problem string) {
	secret, apop := strings.CutPrefix(name, "apop:")
	times, repeat := strings.CutPrefix(name, "repeat ")
	switch {
	case repeat:
		return parseRepeat(times)
	case name == "*", name != "" && name[0] == '*' && isName(name[1:]):
		return Part{Rest: true, Var: name[1:]}, ""
	case apop && kind == Client:
		secret, ok := Unescape(secret)
		if !ok || secret == "" {
			return p, "want {apop:secret}"
		}
		return Part{Secret: secret}, ""
	case !isName(name):
		return p, "a placeholder's name is letters, digits and -"
	}
	return Part{Var: name}, ""
}

// mostRepeated bounds what {repeat ...} makes.
const mostRepeated = 1 << 20

func parseRepeat(s string) (p Part, problem string) {
	times, text, _ := strings.Cut(s, " ")
	n, err := strconv.Atoi(times)
	text, ok := Unescape(text)
	if err != nil || n < 1 || !ok || text == "" || len(text) > mostRepeated/n {
		return p, "want {repeat TIMES TEXT}, at most a megabyte"
	}
	return Part{Octets: strings.Repeat(text, n)}, ""
}

func isName(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}
