package transcript

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape writes octets as a script does: printable UTF-8 text as it is, a
// backslash twice, anything else as \xNN. A space at the end is escaped, too:
// editors remove it.
func Escape(octets string) string {
	var b strings.Builder
	for i := 0; i < len(octets); {
		r, n := utf8.DecodeRuneInString(octets[i:])
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '{', r == utf8.RuneError && n == 1, !unicode.IsPrint(r), r == ' ' && i == len(octets)-1:
			for _, c := range []byte(octets[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteString(octets[i : i+n])
		}
		i += n
	}
	return b.String()
}

// Unescape is the twin of Escape. ok is false for a backslash that begins no
// escape.
func Unescape(s string) (octets string, ok bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, `\`)
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), true
		case strings.HasPrefix(after, `\`):
			b.WriteByte('\\')
			s = after[1:]
		case len(after) >= 3 && after[0] == 'x':
			c, err := strconv.ParseUint(after[1:3], 16, 8)
			if err != nil {
				return "", false
			}
			b.WriteByte(byte(c))
			s = after[3:]
		default:
			return "", false
		}
	}
}
