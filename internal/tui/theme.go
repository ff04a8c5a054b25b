package tui

import (
	"image/color"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// A look is how a piece of text stands out. None is needed to understand the
// screen: whatever has a colour has a word or a sign, too.
type look uint8

const (
	plain   look = iota
	dim          // beside the point
	strong       // headings, keys
	accent       // where the eye should go first
	good         // it worked
	warning      // marked, held, lost
	sign         // line ends, stuffing: not part of the text
	bar          // the bars at the top and the bottom
	cursor       // the line that keys act on
	looks        // how many there are
)

// A theme turns rows into text with escapes: the only ones that the screen gets.
// The colours are the terminal's sixteen, so that they fit its own; NO_COLOR is
// obeyed where the escapes are written out.
type theme struct {
	styles [looks]lipgloss.Style
	// cells is how the terminal counts the width of text.
	cells ansi.Method
}

// newTheme returns the looks for a dark or a light background.
func newTheme(dark bool) *theme {
	pick := func(onDark, onLight color.Color) color.Color {
		if dark {
			return onDark
		}
		return onLight
	}
	base := lipgloss.NewStyle().Inline(true)
	t := &theme{}
	for i := range t.styles {
		t.styles[i] = base
	}
	t.styles[dim] = base.Faint(true)
	t.styles[strong] = base.Bold(true)
	t.styles[accent] = base.Bold(true).Foreground(pick(lipgloss.BrightCyan, lipgloss.Blue))
	t.styles[good] = base.Foreground(pick(lipgloss.BrightGreen, lipgloss.Green))
	t.styles[warning] = base.Bold(true).Foreground(pick(lipgloss.BrightYellow, lipgloss.Red))
	t.styles[sign] = base.Foreground(pick(lipgloss.BrightMagenta, lipgloss.Magenta))
	t.styles[bar] = base.Reverse(true)
	t.styles[cursor] = base.Reverse(true).Bold(true)
	return t
}

// A span is text in one look.
type span struct {
	text shown
	look look
}

// A row is a line of the screen.
type row []span

// text returns a row in one look.
func text(l look, s shown) row { return row{{s, l}} }

// width returns the cells that text takes.
func (t *theme) width(s shown) int { return t.cells.StringWidth(string(s)) }

// fit returns text in exactly n cells: cut with an ellipsis, or filled up.
func (t *theme) fit(s shown, n int) shown {
	if n <= 0 {
		return ""
	}
	if w := t.width(s); w <= n {
		return s + spaces(n-w)
	}
	s, _ = t.clip(shown(t.cells.Truncate(string(s), n, "…")), n)
	// A wide character that did not fit leaves a cell empty.
	return s + spaces(max(0, n-t.width(s)))
}

// right is fit for what ends at the right: numbers.
func (t *theme) right(s shown, n int) shown {
	if w := t.width(s); w < n {
		return spaces(n-w) + s
	}
	return t.fit(s, n)
}

// cut leaves out n cells at the left.
func (t *theme) cut(s shown, n int) shown {
	if n <= 0 {
		return s
	}
	return shown(t.cells.TruncateLeft(string(s), n, ""))
}

// wrap breaks text into lines of at most n cells, between words where it can.
func (t *theme) wrap(s shown, n int) []shown {
	if t.width(s) <= n {
		return []shown{s}
	}
	all := strings.Split(t.cells.Wrap(string(s), max(1, n), ""), "\n")
	lines := make([]shown, 0, len(all))
	for _, l := range all {
		rest := shown(l)
		for t.width(rest) > n && n > 1 {
			var head shown
			if head, rest = t.clip(rest, n); head == "" {
				break
			}
			lines = append(lines, head)
		}
		lines = append(lines, rest)
	}
	return lines
}

// clip divides text after n cells. It is for what the library measures in two
// ways: pictures that are joined from several.
func (t *theme) clip(s shown, n int) (head, rest shown) {
	if t.width(s) <= n {
		return s, ""
	}
	end := 0
	for i, r := range s {
		next := i + utf8.RuneLen(r)
		if t.width(s[:next]) > n {
			break
		}
		end = next
	}
	return s[:end], s[end:]
}

// paragraph wraps text behind a label; further lines begin below the text.
func (t *theme) paragraph(label row, l look, s shown, n int) []row {
	indent := 0
	for _, p := range label {
		indent += t.width(p.text)
	}
	if n-indent < 12 { // too narrow to indent
		rows := []row{label}
		for _, part := range t.wrap(s, n) {
			rows = append(rows, text(l, part))
		}
		return rows
	}
	var rows []row
	for i, part := range t.wrap(s, n-indent) {
		if i == 0 {
			rows = append(rows, append(append(row{}, label...), span{part, l}))
			continue
		}
		rows = append(rows, row{{spaces(indent), plain}, {part, l}})
	}
	return rows
}

// draw returns a row as text of exactly n cells. over, if not plain, is the look
// of the whole row: the cursor's line, a bar.
func (t *theme) draw(r row, n int, over look) string {
	var b strings.Builder
	for _, s := range r {
		w := t.width(s.text)
		if w > n {
			s.text, w = t.fit(s.text, n), n
		}
		b.WriteString(t.render(s, over))
		if n -= w; n == 0 {
			return b.String()
		}
	}
	b.WriteString(t.render(span{spaces(n), plain}, over))
	return b.String()
}

func (t *theme) render(s span, over look) string {
	if s.text == "" {
		return ""
	}
	if over == plain {
		return t.styles[s.look].Render(string(s.text))
	}
	if s.look == warning {
		return t.styles[over].Bold(true).Underline(true).Render(string(s.text))
	}
	return t.styles[over].Render(string(s.text))
}

// page draws rows, and empty lines up to h of them.
func (t *theme) page(rows []row, w, h int) []string {
	out := make([]string, 0, h)
	for _, r := range rows[:min(len(rows), h)] {
		out = append(out, t.draw(r, w, plain))
	}
	for len(out) < h {
		out = append(out, t.draw(nil, w, plain))
	}
	return out
}

func spaces(n int) shown { return shown(strings.Repeat(" ", max(0, n))) }
