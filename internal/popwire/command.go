package popwire

import (
	"bytes"
	"strings"

	"postfach/pop3"
)

// A Command is a command line in parts (RFC 1939 section 3).
type Command struct {
	Keyword string // upper case
	// Args is all after the first SP, octet for octet: a password may hold
	// spaces (P3-USR-05). Fields splits it for all other commands.
	Args string
	// HasArgs tells "PASS " from "PASS".
	HasArgs bool
}

// ParseCommand splits a line that has no line end any more. The keyword is
// three or four printable octets, in any case (P3-SYN-02, P3-SYN-04); NUL, CR
// and LF are refused everywhere. ok is false for anything else.
func ParseCommand(line []byte) (c Command, ok bool) {
	keyword, args, hasArgs := bytes.Cut(line, []byte{' '})
	if len(keyword) < 3 || len(keyword) > 4 || bytes.ContainsAny(args, "\x00\r\n") {
		return Command{}, false
	}
	for _, b := range keyword {
		if b < 0x21 || b > 0x7e {
			return Command{}, false
		}
	}
	return Command{Keyword: upper(keyword), Args: string(args), HasArgs: hasArgs}, true
}

// AppendCommand appends the command line, with CRLF.
func AppendCommand(dst []byte, c Command) ([]byte, error) {
	if strings.ContainsAny(c.Keyword, "\x00\r\n ") || strings.ContainsAny(c.Args, "\x00\r\n") {
		return dst, ErrUnsafe
	}
	dst = append(dst, c.Keyword...)
	if c.HasArgs {
		dst = append(dst, ' ')
		dst = append(dst, c.Args...)
	}
	return append(dst, crlf...), nil
}

// IsAuth reports whether a line begins like AUTH with an argument.
func IsAuth(start []byte) bool {
	return len(start) > 5 && upper(start[:5]) == "AUTH "
}

// upper folds ASCII only, whatever the locale (P3-SYN-02).
func upper(b []byte) string {
	u := make([]byte, len(b))
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		u[i] = c
	}
	return string(u)
}

// Fields splits the arguments at SP. More than one SP counts as one and SP at
// the end is let pass (AMB-01); any octet that is not printable ASCII refuses
// the line (P3-SYN-05).
func (c Command) Fields() (fields []string, ok bool) {
	for i := range len(c.Args) {
		if b := c.Args[i]; b < 0x20 || b > 0x7e {
			return nil, false
		}
	}
	if strings.Trim(c.Args, " ") == "" {
		return nil, true
	}
	return strings.FieldsFunc(c.Args, func(r rune) bool { return r == ' ' }), true
}

// ParseNumber reads a decimal number as commands and replies carry it: digits
// only, no sign, no overflow (P3-SYN-21, P3-SYN-22). Leading zeros are let
// pass (AMB-02).
func ParseNumber(s string) (n int64, ok bool) {
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 || n > (1<<63-1-int64(d))/10 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

// ParseMessageNumber is ParseNumber for message numbers and TOP's line count:
// at most 10 digits, so that all fit an int everywhere.
func ParseMessageNumber(s string) (n int, ok bool) {
	v, ok := ParseNumber(s)
	if !ok || len(s) > 10 || v > 1<<31-1 {
		return 0, false
	}
	return int(v), true
}

// CommandFor builds a command from a keyword and its arguments.
func CommandFor(keyword string, args ...string) Command {
	return Command{Keyword: keyword, Args: strings.Join(args, " "), HasArgs: len(args) > 0}
}

// ParseCapability reads one line of CAPA. Lenient: several SP, which happens.
func ParseCapability(line string) (c pop3.Capability, ok bool) {
	f := strings.Fields(line)
	if len(f) == 0 {
		return c, false
	}
	return pop3.Capability{Tag: f[0], Params: f[1:]}, true
}
