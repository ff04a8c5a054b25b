package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"postfach/internal/hint"
	"postfach/internal/message"
)

// A shown is text that may become cells of the screen. This file is the border:
// what comes from a server, a message, a file or an error becomes a shown by line
// or block, which let no escape, control character or reordering mark through.
// Everything that draws takes a shown, so the compiler finds what went around the
// border. Constants of this package need not pass.
type shown string

// line lets one line of strange text in.
func line(s string) shown { return shown(unpile(message.PrintableLine(s))) }

// block lets strange text of many lines in. TABs are spaces from here on.
func block(s string) []shown {
	all := strings.Split(unpile(message.Printable(s)), "\n")
	lines := make([]shown, len(all))
	for i, l := range all {
		lines[i] = shown(untab(l))
	}
	return lines
}

// source lets a line of a raw message in: spaces count there.
func source(s string) shown { return block(strings.ReplaceAll(s, "\n", "␊"))[0] }

// sayf is line for a sentence that strange text is part of.
func sayf(format string, args ...any) shown { return line(fmt.Sprintf(format, args...)) }

// errorLine says an error in one line, without its hint.
func errorLine(err error) shown { return line(err.Error()) }

// hintLine returns what a person can do about an error, or "".
func hintLine(err error) shown {
	if h := hint.Of(err); h != "" {
		return "hint: " + line(h)
	}
	return ""
}

// maxPile is how many marks may pile up on a character, or characters be joined
// into one. A cell that is fed a million of them stops more than one program.
const maxPile = 16

// unpile leaves out what is piled up higher.
func unpile(s string) string {
	pile, joined := 0, false
	return strings.Map(func(r rune) rune {
		const joiner = '\u200d'
		switch {
		case r < 0x300:
			pile, joined = 0, false
			return r
		case r == joiner || unicode.In(r, unicode.Mn, unicode.Me):
			if pile++; pile > maxPile {
				return -1
			}
		case !joined:
			pile = 0
		}
		joined = r == joiner
		return r
	}, s)
}

const tabStop = 8

func untab(s string) string {
	if !strings.Contains(s, "\t") {
		return s
	}
	var b strings.Builder
	column := 0
	for _, r := range s {
		if r != '\t' {
			b.WriteRune(r)
			column++
			continue
		}
		n := tabStop - column%tabStop
		b.WriteString(strings.Repeat(" ", n))
		column += n
	}
	return b.String()
}

// count writes a number with its thousands apart: 25,750.
func count[N int | int64](n N) shown {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return shown(b.String())
}

// octets writes a size in at most six cells: 25,750 or 1.2M.
func octets(n int64) shown {
	if n < 100_000 {
		return count(n)
	}
	f := float64(n)
	for _, unit := range []string{"k", "M", "G", "T"} {
		if f /= 1000; f < 1000 {
			if f < 100 {
				return shown(fmt.Sprintf("%.1f%s", f, unit))
			}
			return shown(fmt.Sprintf("%.0f%s", f, unit))
		}
	}
	return shown(fmt.Sprintf("%.0fP", f/1000))
}

// many writes a number of things: 1 message, 2 messages.
func many(n int, thing shown) shown {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}

// left writes a time that is left: 1:43.
func left(d time.Duration) shown {
	s := max(0, int((d+time.Second-1)/time.Second))
	return shown(fmt.Sprintf("%d:%02d", s/60, s%60))
}
