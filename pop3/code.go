package pop3

import "strings"

// A Code is a response code without its brackets, for example "SYS/TEMP"
// (RFC 2449 section 8). Codes are hierarchical and case-insensitive.
type Code string

// The registered response codes.
const (
	CodeLoginDelay Code = "LOGIN-DELAY" // RFC 2449 section 8.1.1: logged in too recently
	CodeInUse      Code = "IN-USE"      // RFC 2449 section 8.1.2: another session has the maildrop
	CodeSysTemp    Code = "SYS/TEMP"    // RFC 3206 section 4: likely to pass
	CodeSysPerm    Code = "SYS/PERM"    // RFC 3206 section 4: somebody must help
	CodeAuth       Code = "AUTH"        // RFC 3206 section 5: the credentials are the problem
	CodeUTF8       Code = "UTF8"        // RFC 6856 section 5: the message needs UTF-8 mode
)

// Is reports whether c is parent or one of its subordinate codes, so that
// "SYS/TEMP/DISK" is "SYS/TEMP" and "SYS" (P3-RSP-02).
func (c Code) Is(parent Code) bool {
	if len(c) < len(parent) || !strings.EqualFold(string(c[:len(parent)]), string(parent)) {
		return false
	}
	return len(c) == len(parent) || c[len(parent)] == '/'
}

// Valid reports whether c has the grammar of a response code: levels of
// printable octets without "]", separated by "/" (P3-RSP-01).
func (c Code) Valid() bool {
	for level := range strings.SplitSeq(string(c), "/") {
		if level == "" || strings.IndexFunc(level, notCodeRune) >= 0 {
			return false
		}
	}
	return true
}

func notCodeRune(r rune) bool { return r <= ' ' || r >= 0x7f || r == ']' }
