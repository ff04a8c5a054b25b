package shell

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// visible returns text that any screen can show: what is not printable, and
// could steer a terminal, is written \xNN.
func visible(octets string) string {
	var b strings.Builder
	for i := 0; i < len(octets); {
		r, n := utf8.DecodeRuneInString(octets[i:])
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			for _, c := range []byte(octets[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(octets[i : i+n])
		}
		i += n
	}
	return b.String()
}

// columns returns how many columns of a screen the text takes.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// wrap breaks text into lines of at most so many columns, at spaces where it
// can. Text that is empty has no lines.
func wrap(text string, limit int) (lines []string) {
	limit = max(limit, 10)
	for text != "" {
		end := fitting(text, limit)
		if end < len(text) {
			if space := strings.LastIndexByte(text[:end+1], ' '); space > 0 {
				end = space
			}
		}
		lines = append(lines, strings.TrimRight(text[:end], " "))
		text = strings.TrimLeft(text[end:], " ")
	}
	return lines
}

// fitting returns how many octets of text fit into so many columns.
func fitting(text string, limit int) int {
	n := 0
	for i, r := range text {
		if n += runeColumns(r); n > limit {
			return i
		}
	}
	return len(text)
}
