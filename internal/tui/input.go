package tui

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// maxInput bounds what is typed or pasted, in characters.
const maxInput = 4096

// An input is a line that a person types.
type input struct {
	runes  []rune
	at     int  // the cursor, in runes
	secret bool // shown as dots
}

func newInput(text string) input {
	r := []rune(text)
	return input{runes: r, at: len(r)}
}

func (in *input) value() string { return string(in.runes) }

// insert puts in what a terminal can show: no line ends, no control characters.
func (in *input) insert(s string) {
	var r []rune
	for _, c := range s {
		if unicode.IsPrint(c) && len(in.runes)+len(r) < maxInput {
			r = append(r, c)
		}
	}
	in.runes = slices.Insert(in.runes, in.at, r...)
	in.at += len(r)
}

// paste takes the first line.
func (in *input) paste(s string) {
	s, _, _ = strings.Cut(strings.TrimLeft(s, "\n\r"), "\n")
	in.insert(s)
}

// key handles a key and reports whether it was one for it.
func (in *input) key(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "left", "ctrl+b":
		in.at = max(0, in.at-1)
	case "right", "ctrl+f":
		in.at = min(len(in.runes), in.at+1)
	case "home", "ctrl+a":
		in.at = 0
	case "end", "ctrl+e":
		in.at = len(in.runes)
	case "backspace", "ctrl+h":
		if in.at > 0 {
			in.runes = slices.Delete(in.runes, in.at-1, in.at)
			in.at--
		}
	case "delete", "ctrl+d":
		if in.at < len(in.runes) {
			in.runes = slices.Delete(in.runes, in.at, in.at+1)
		}
	case "ctrl+u":
		in.runes = slices.Delete(in.runes, 0, in.at)
		in.at = 0
	case "ctrl+k":
		in.runes = in.runes[:in.at]
	case "ctrl+w":
		from := in.at
		for from > 0 && in.runes[from-1] == ' ' {
			from--
		}
		for from > 0 && in.runes[from-1] != ' ' && in.runes[from-1] != '/' {
			from--
		}
		if from == in.at && from > 0 {
			from--
		}
		in.runes = slices.Delete(in.runes, from, in.at)
		in.at = from
	default:
		if k.Text == "" {
			return false
		}
		in.insert(k.Text)
	}
	return true
}

// row draws it in n cells, with the cursor in sight.
func (in *input) row(t *theme, n int) row {
	show := func(r []rune) shown {
		if in.secret {
			return shown(strings.Repeat("•", len(r)))
		}
		return block(string(r))[0]
	}
	before := show(in.runes[:in.at])
	under, after := shown(" "), shown("")
	if in.at < len(in.runes) {
		under, after = show(in.runes[in.at:in.at+1]), show(in.runes[in.at+1:])
	}
	if over := t.width(before) + t.width(under) - n; over > 0 {
		before = t.cut(before, over)
	}
	return row{{before, plain}, {under, bar}, {after, plain}}
}
