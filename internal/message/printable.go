package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns text as it may go to a terminal: no escapes, no control
// characters but LF and TAB, no marks that reorder text (bidi overrides); each is
// replaced by a visible sign. Characters that show nothing are left out, CR LF
// becomes LF, and of marks piled up on one letter the first few stay.
func Printable(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == '\r' && strings.HasPrefix(s[i+1:], "\n") {
			i++
			continue
		}
		i += n
		r = visible(r)
		switch {
		case r == nothing:
			continue
		case isMark(r):
			if marks++; marks > mostMarks {
				continue
			}
		default:
			marks = 0
		}
		b.WriteRune(r)
	}
	return b.String()
}

// PrintableLine is Printable in one line: runs of white space are one space.
func PrintableLine(s string) string {
	if isPlainLine(s) {
		return s
	}
	return Printable(strings.Join(strings.Fields(s), " "))
}

// isPlain says whether a text is printable ASCII already.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// isPlainLine says whether a text is printable ASCII in one line already.
func isPlainLine(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
}

const (
	nothing   = rune(-1)
	mostMarks = 8 // on one letter: more than any language piles up
)

// visible returns what to show for r, or nothing.
func visible(r rune) rune {
	switch {
	case r == '\n', r == '\t', r >= ' ' && r <= '~':
		return r
	case r < ' ':
		return '\u2400' + r // ␛
	case r == 0x7f:
		return '\u2421' // ␡
	case r < 0xa0: // C1: U+009B begins an escape sequence
		return utf8.RuneError
	case r == '\u2028', r == '\u2029': // line and paragraph separator
		return '\u2424' // ␤
	case isInvisible(r):
		return nothing
	case reorders(r), isNoncharacter(r):
		return utf8.RuneError
	}
	return r
}

// reorders says whether r makes the text behind it run in another direction:
// "exe.gpj" is then shown for "gpj.exe".
func reorders(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u206f'
}

// isInvisible says whether r shows nothing and is needed by no script. It could
// hide text, or make two texts look alike. The joiners U+200C and U+200D are
// needed.
func isInvisible(r rune) bool {
	switch r {
	case '\u00ad', '\u034f', '\u061c', '\u115f', '\u1160', '\u180e', '\u200b', '\u200e', '\u200f', '\u3164', '\ufeff', '\uffa0':
		return true
	}
	return r >= '\u2060' && r <= '\u2065' || r >= '\ufff0' && r <= '\ufffb' || r >= 0xe0000 && r <= 0xe00ff || r >= 0xe01f0 && r <= 0xe0fff
}

func isNoncharacter(r rune) bool {
	return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef
}

// isMark says whether r adds to the letter before it. Joiners count: a row of
// them shows nothing.
func isMark(r rune) bool {
	return r >= 0x300 && (unicode.In(r, unicode.Mn, unicode.Me) || r == '\u200c' || r == '\u200d')
}
