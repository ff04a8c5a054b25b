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
	// Twice: a line end has to become a space before it becomes a sign, and what is
	// left out may have stood between spaces.
	return oneLine(Printable(oneLine(s)))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

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
	case reorders(r), isNoncharacter(r):
		return utf8.RuneError
	case isInvisible(r):
		return nothing
	}
	return r
}

// reorders says whether r makes the text behind it run in another direction:
// "exe.gpj" is then shown for "gpj.exe".
func reorders(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u206f'
}

// isInvisible says whether r shows nothing and is needed by no script. It could
// hide text, or make two texts look alike. The joiners are needed, and what chooses
// a variant of the character before it.
func isInvisible(r rune) bool {
	return !isJoiner(r) && unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point) &&
		!unicode.In(r, unicode.Variation_Selector, unicode.Prepended_Concatenation_Mark)
}

// isJoiner: scripts and emoji need them.
func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

func isNoncharacter(r rune) bool {
	return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef
}

// isMark says whether r adds to the letter before it. Joiners count: a row of
// them shows nothing.
func isMark(r rune) bool {
	return r >= 0x300 && (unicode.In(r, unicode.Mn, unicode.Me) || isJoiner(r))
}
