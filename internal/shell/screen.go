package shell

import (
	"fmt"
	"io"
	"strings"
	"time"

	"postfach/internal/explain"
)

// A screen shows lines with what they mean: beside them where it is wide
// enough, else beneath.
type screen struct {
	out   io.Writer
	look  Look
	width func() int // in columns
	now   func() time.Time
}

const (
	defaultWidth = 100
	twoColumns   = 100 // from this width on
	narrowScreen = 50  // below this width there are no time stamps
)

// narrow says that there is only room for the words.
func (sc *screen) narrow() bool { return sc.width() < narrowScreen }

func newScreen(out io.Writer, look Look) *screen {
	sc := &screen{out: out, look: look, now: time.Now}
	sc.width = func() int {
		if look.Width > 0 {
			return look.Width
		}
		return defaultWidth
	}
	return sc
}

func (sc *screen) words() *words { return wordsOf(sc.look.Lang) }

// A style is how text is coloured: the number of an SGR sequence.
type style string

// The styles.
const (
	plain   style = ""
	faint   style = "2"
	strong  style = "1"
	meaning style = "36"
	refused style = "31"
	warning style = "33"
)

func (sc *screen) paint(text string, s style) string {
	if !sc.look.Color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// start is the time stamp of a line.
func (sc *screen) start() string {
	if sc.look.NoTimes || sc.narrow() {
		return ""
	}
	return sc.now().Format("15:04:05.000") + " "
}

// show shows what one side said.
func (sc *screen) show(client bool, line string, note explain.Note) {
	side, how := "S: ", plain
	switch {
	case client:
		side, how = "C: ", strong
	case note.Refused:
		how = refused
	}
	means, meansHow := note.Meaning, meaning
	if note.Warning {
		meansHow = warning
	}
	if sc.look.NoExplain {
		means, note.Next = "", ""
	}
	sc.put(sc.start(), side, visible(cutLine(line)), how, means, meansHow, note.Next)
}

// cutLine bounds a line.
func cutLine(line string) string {
	if len(line) <= longestShown {
		return line
	}
	return line[:longestShown] + "…"
}

// put writes a line and its meaning.
func (sc *screen) put(stamp, side, text string, how style, means string, meansHow style, next string) {
	full := sc.width() - 1 // the last column makes terminals break the line
	indent := len(stamp) + len(side)
	if sc.narrow() {
		indent = 0
	}
	if means == "" && next == "" {
		sc.print(sc.paint(stamp, faint), side, sc.paint(text, how), "\n")
		return
	}
	if sc.width() < twoColumns {
		sc.print(sc.paint(stamp, faint), side, sc.paint(text, how), "\n")
		for _, l := range sc.notes(means, meansHow, next, full-indent-2) {
			sc.print(strings.Repeat(" ", indent+2), l, "\n")
		}
		return
	}
	left := full * 9 / 20
	right := sc.notes(means, meansHow, next, full-left-2)
	for i, l := range sc.leftRows(text, left-indent, len(right)) {
		if i > 0 {
			stamp, side = strings.Repeat(" ", len(stamp)), strings.Repeat(" ", len(side))
		}
		if i >= len(right) {
			sc.print(sc.paint(stamp, faint), side, sc.paint(l, how), "\n")
			continue
		}
		gap := strings.Repeat(" ", max(0, left-indent-columns(l))+2)
		sc.print(sc.paint(stamp, faint), side, sc.paint(l, how), gap, right[i], "\n")
	}
}

// leftRows wraps text and fills it up to so many rows.
func (sc *screen) leftRows(text string, limit, rows int) []string {
	lines := wrap(text, limit)
	for len(lines) < rows {
		lines = append(lines, "")
	}
	return lines
}

// notes are the rows of a meaning, coloured.
func (sc *screen) notes(means string, how style, next string, limit int) (rows []string) {
	for _, l := range wrap(means, limit) {
		rows = append(rows, sc.paint(l, how))
	}
	for i, l := range wrap(next, limit-2) {
		arrow := "  "
		if i == 0 {
			arrow = "→ "
		}
		rows = append(rows, sc.paint(arrow+l, faint))
	}
	return rows
}

// event shows what happened, and was not said.
func (sc *screen) event(note explain.Note) {
	how := meaning
	if note.Warning {
		how = warning
	}
	sc.say(note.Meaning, how)
	if note.Next != "" {
		sc.say("→ "+note.Next, faint)
	}
}

// say shows words of the shell itself. Line ends part paragraphs.
func (sc *screen) say(text string, how style) {
	stamp := sc.start()
	for paragraph := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		for _, l := range wrap(visible(paragraph), sc.width()-1-len(stamp)-3) {
			sc.print(sc.paint(stamp, faint), "-- ", sc.paint(l, how), "\n")
			stamp = strings.Repeat(" ", len(stamp))
		}
	}
}

// folded says how many lines of a reply are not shown.
func (sc *screen) folded(n int) {
	stamp := sc.start()
	sc.print(sc.paint(stamp, faint), "   ", sc.paint(sc.words().moreLines(n), faint), "\n")
}

// print writes one row. A terminal that is gone is noticed when it is read.
func (sc *screen) print(parts ...string) {
	_, _ = fmt.Fprint(sc.out, strings.Join(parts, ""))
}
