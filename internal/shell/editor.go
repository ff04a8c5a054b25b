package shell

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// longestTyped is where the terminal begins to drop what is typed, in characters.
const longestTyped = 4096

// An editor is a person at a terminal.
type editor struct {
	terminal *term.Terminal
	keys     *keyboard
	fd       int // of the screen, for its size
	state    *term.State
	dumb     bool // the terminal knows no escape sequences
	history  *history
	// complete returns what a word at the end of line could become. It is
	// called while the session waits for a line, and so does not change.
	complete func(line string) (word string, candidates []string)
}

func openEditor(in, out *os.File, historyFile string, dumb bool, interrupt func()) (*editor, error) {
	state, err := term.MakeRaw(fd(in))
	if err != nil {
		return nil, err
	}
	e := &editor{fd: fd(out), state: state, dumb: dumb, keys: newKeyboard(in, interrupt), history: openHistory(historyFile)}
	e.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{e.keys, out}, "")
	e.terminal.History = e.history
	e.terminal.AutoCompleteCallback = e.key
	return e, nil
}

// close gives the terminal back.
func (e *editor) close() {
	e.keys.close()
	_ = term.Restore(fd(e.keys.in), e.state) // there is nothing left to do about it
	if !e.dumb {
		fmt.Fprint(e.keys.in, "\r\x1b[K")
	}
	e.history.close()
}

// width is the screen's.
func (e *editor) width() int {
	w, _, err := term.GetSize(e.fd)
	if err != nil || w <= 0 {
		return defaultWidth
	}
	return w
}

func (e *editor) read(_ context.Context, p prompt) (string, error) {
	w, h, sizeErr := term.GetSize(e.fd)
	if sizeErr == nil && w > 0 {
		_ = e.terminal.SetSize(w, h) // a wrong size looks odd, and that is all
	}
	e.keys.reading.Store(true)
	defer e.keys.reading.Store(false)
	e.keys.cancelled, e.keys.ended, e.keys.garbled, e.keys.hidden = false, false, false, p.hidden
	e.history.off = p.question || p.hidden
	line, err := e.line(p)
	if err == nil && e.keys.garbled { // the terminal has left it out, unseen
		line += "\xff"
	}
	switch {
	case err == nil && e.keys.cancelled:
		return "", errCancelled
	case err == nil && e.keys.ended:
		return "", io.EOF
	}
	// The line is shown again, with what it means.
	if err == nil && !e.dumb && !p.question && !strings.HasPrefix(line, "/") {
		length := columns(p.text)
		if !p.hidden {
			length += columns(line)
		}
		fmt.Fprintf(e.terminal, "\x1b[%dA\r\x1b[J", length/max(w, 1)+1)
	}
	return line, err
}

func (e *editor) line(p prompt) (string, error) {
	if p.hidden {
		return e.terminal.ReadPassword(p.text)
	}
	e.terminal.SetPrompt(p.text)
	return e.terminal.ReadLine()
}

// key sees each key before the terminal does. Where a secret follows, it puts an
// Enter in, so that the rest is asked for without echo.
func (e *editor) key(line string, pos int, key rune) (newLine string, newPos int, ok bool) {
	if key == keyEnd {
		if line != "" { // deletes the character under the cursor
			_, n := utf8.DecodeRuneInString(line[pos:])
			return line[:pos] + line[pos+n:], pos, true
		}
		e.keys.ended = true
		e.keys.push('\r')
		return "", 0, true
	}
	if e.history.off { // an answer to a question
		return "", 0, false
	}
	if key == '\t' {
		return e.tab(line, pos)
	}
	// A no-break space is easily typed for a space, and looks like one.
	if unicode.Is(unicode.Zs, key) && pos == len(line) && secretFollows(line) {
		e.keys.push('\r')
		if key == ' ' {
			return "", 0, false // the terminal puts it in
		}
		return line + " ", pos + 1, true
	}
	return "", 0, false
}

// secretFollows says that what comes behind line and a space is a secret.
func secretFollows(line string) bool {
	fields := strings.Fields(line)
	if len(fields) == 0 || strings.HasSuffix(line, " ") {
		return false
	}
	switch strings.ToUpper(fields[0]) {
	case "PASS":
		return len(fields) == 1
	case "APOP", "AUTH":
		return len(fields) == 2
	}
	return false
}

// tab completes the word before the cursor, or shows what it could become.
func (e *editor) tab(line string, pos int) (newLine string, newPos int, ok bool) {
	word, candidates := e.complete(line[:pos])
	if len(candidates) == 0 {
		return line, pos, true
	}
	common := candidates[0]
	for _, c := range candidates[1:] {
		for !strings.HasPrefix(strings.ToUpper(c), strings.ToUpper(common)) {
			common = common[:len(common)-1]
		}
	}
	switch {
	case len(candidates) == 1:
		common += " "
	case len(common) <= len(word):
		fmt.Fprintln(e.terminal, strings.Join(candidates, "  "))
		return line, pos, true
	}
	if len(candidates) == 1 && secretFollows(line[:pos-len(word)]+candidates[0]) {
		common = candidates[0] // the space is typed, and noticed
	}
	start := line[:pos-len(word)] + common
	return start + line[pos:], len(start), true
}
