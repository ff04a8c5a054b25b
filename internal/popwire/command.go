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
	if len(keyword) < 3 || len(keyword) > 4 || endsLine(args) {
		return Command{}, false
	}
	for _, b := range keyword {
		if b < 0x21 || b > 0x7e {
			return Command{}, false
		}
	}
	return Command{Keyword: keywordOf(keyword), Args: string(args), HasArgs: hasArgs}, true
}

// endsLine reports whether somebody could take an octet of p for the end of a line.
func endsLine(p []byte) bool {
	return bytes.IndexByte(p, 0) >= 0 || bytes.IndexByte(p, '\r') >= 0 || bytes.IndexByte(p, '\n') >= 0
}

// keywordOf is upper for a keyword of three or four octets. The common ones are there
// already.
func keywordOf(keyword []byte) string {
	var room [4]byte
	switch u := appendUpper(room[:0], keyword); string(u) {
	case "RETR":
		return "RETR"
	case "TOP":
		return "TOP"
	case "DELE":
		return "DELE"
	case "LIST":
		return "LIST"
	case "UIDL":
		return "UIDL"
	case "STAT":
		return "STAT"
	case "NOOP":
		return "NOOP"
	case "USER":
		return "USER"
	case "PASS":
		return "PASS"
	case "QUIT":
		return "QUIT"
	default:
		return string(u)
	}
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
	var room [32]byte
	return string(appendUpper(room[:0], b))
}

func appendUpper(dst, b []byte) []byte {
	for _, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// Fields splits the arguments at SP. More than one SP counts as one and SP at
// the end is let pass (AMB-01); any octet that is not printable ASCII refuses
// the line (P3-SYN-05).
func (c Command) Fields() (fields []string, ok bool) { return c.AppendFields(nil) }

// AppendFields is Fields with room that the caller has.
func (c Command) AppendFields(dst []string) (fields []string, ok bool) {
	for i := range len(c.Args) {
		if b := c.Args[i]; b < 0x20 || b > 0x7e {
			return nil, false
		}
	}
	for rest := c.Args; ; {
		rest = strings.TrimLeft(rest, " ")
		if rest == "" {
			return dst, true
		}
		end := strings.IndexByte(rest, ' ')
		if end < 0 {
			end = len(rest)
		}
		dst, rest = append(dst, rest[:end]), rest[end:]
	}
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
